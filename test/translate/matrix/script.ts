/* What a scripted provider is to do, in no dialect's words. */

export type Call = { name: string; args: Record<string, unknown> }

/** One answer of a model. */
export type Answer = {
  thought?: string
  text?: string
  calls?: Call[]
  /** Where it did not stop by itself, or for its calls. `sequence`: at the first that the client named. */
  stop?: 'length' | 'sequence' | 'refusal'
  /** Comes whole also where a stream was asked for. */
  unstreamed?: true
  /** How it goes on once its content is out, in place of its end. */
  breaks?: 'error' | 'cut' | 'silence'
}

export const FAILURES = [
  'bad_request',
  'wrong_key',
  'forbidden',
  'not_found',
  'too_long',
  'rate_limit',
  'server',
  'overloaded',
] as const
export type Failure = (typeof FAILURES)[number]

/** What a provider does with one request. */
export type Turn = Answer | { failure: Failure } | { silent: true }

/** What every answer costs; `reasoning` where it thinks. */
export const USAGE = { input: 30, cached: 12, output: 9, reasoning: 4 } as const

/** How long a client is told to wait by those who say it, in seconds. */
export const RETRY_AFTER = 7

/** What a provider has understood of a request, in no dialect's words. */
export type Heard = {
  system: string
  turns: HeardTurn[]
  tools: string[]
  /** The name of a tool that must be called, or `auto`, `none`, `required`. */
  toolChoice: string | null
  parallel: boolean | null
  maxTokens: number | null
  temperature: number | null
  stop: string[]
  /** Names of the properties that the answer must have. */
  schema: string[] | null
  thinks: boolean
}

/** Messages of one side that follow each other are one turn. */
export type HeardTurn = {
  role: 'user' | 'assistant'
  text: string
  /** `image/png;base64,…`, or an address. */
  images: string[]
  calls: Call[]
  /** What the tools gave, as text, in order. */
  results: string[]
}

/** Puts messages together as turns. */
export function toTurns(messages: (Partial<HeardTurn> & Pick<HeardTurn, 'role'>)[]): HeardTurn[] {
  const turns: HeardTurn[] = []
  for (const { role, text = '', images = [], calls = [], results = [] } of messages) {
    if (turns.at(-1)?.role !== role) turns.push({ role, text: '', images: [], calls: [], results: [] })
    const last = turns.at(-1)!
    last.text += text
    last.images.push(...images)
    last.calls.push(...calls)
    last.results.push(...results)
  }
  return turns
}
