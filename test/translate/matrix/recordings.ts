import { RECORDINGS, recordedExchanges, recordedPayloads } from '../../helpers/fixtures.ts'
import type { Json } from './provider.ts'
import type { Call } from './script.ts'

/** A whole answer of a real provider, and what it says, read here by hand. */
export type Recording = {
  name: string
  provider: 'anthropic' | 'gemini' | 'mistral' | 'zai'
  contentType: string
  bytes: Buffer
  said: Said
}

/** `usage`: null where none was reported. */
export type Said = { text: string; calls: Call[]; usage: { input: number; output: number } | null }

type Wire = { name: string; provider: Recording['provider']; isStream: boolean; bytes: Buffer }

const HOSTS: Record<string, Recording['provider']> = {
  'api.anthropic.com': 'anthropic',
  'generativelanguage.googleapis.com': 'gemini',
  'api.mistral.ai': 'mistral',
}

/** Whoever copies OpenAI's format is played by one of them. */
const exchanges = (): Wire[] =>
  RECORDINGS.flatMap(recordedExchanges)
    .filter(({ status, path }) => status === 200 && /\/(?:chat\/completions|messages)$|enerateContent/.test(path))
    .map(({ name, host, responseHeaders, responseBody }) => ({
      name,
      provider: HOSTS[host] ?? 'zai',
      isStream: responseHeaders['content-type']!.startsWith('text/event-stream'),
      bytes: responseBody,
    }))

const FOLDERS: Record<string, Recording['provider']> = {
  anthropic: 'anthropic',
  google: 'gemini',
  mistral: 'mistral',
  deepseek: 'zai',
  groq: 'zai',
  openai: 'zai',
  perplexity: 'zai',
  xai: 'zai',
}

const payloads = (): Wire[] =>
  Object.entries(FOLDERS).flatMap(([folder, provider]) =>
    recordedPayloads(folder)
      .filter(({ name }) => !MADE_UP.test(name))
      .map(({ name, kind, bytes }) => ({
        name,
        provider,
        isStream: kind !== 'json',
        bytes: kind === 'chunks' ? framed(provider, bytes) : bytes,
      })),
  )

/** Broken on purpose, and one of another kind: calls in pieces of their own, which are read elsewhere. */
const MADE_UP = /message-start|wrapper|google-stream-/

/** One payload a line, as it stood on the wire. */
function framed(provider: Recording['provider'], bytes: Buffer): Buffer {
  const lines = bytes.toString().split('\n').filter(Boolean)
  const events = lines.map((line) => {
    if (provider !== 'anthropic') return `data: ${line}${provider === 'gemini' ? '\r\n\r\n' : '\n\n'}`
    return `event: ${String((JSON.parse(line) as Json).type)}\ndata: ${line}\n\n`
  })
  return Buffer.from(events.join('') + (provider === 'mistral' || provider === 'zai' ? 'data: [DONE]\n\n' : ''))
}

/** Answers of other APIs are not among them. */
export const recordings = (): Recording[] =>
  [...exchanges(), ...payloads()]
    .map((wire) => ({ ...wire, bodies: bodiesOf(wire) }))
    .filter(({ provider, bodies }) => isAnswer(provider, bodies))
    .map(({ name, provider, isStream, bytes, bodies }) => ({
      name,
      provider,
      contentType: isStream ? 'text/event-stream' : 'application/json',
      bytes,
      said: READERS[provider](bodies),
    }))

const bodiesOf = ({ isStream, bytes }: Wire): Json[] =>
  (isStream ? [...bytes.toString().matchAll(/^data: ?(\{.*\})\s*$/gm)].map(([, json]) => json!) : [bytes.toString()])
    .filter(Boolean)
    .map((json) => JSON.parse(json) as Json)

const MARKS: Record<Recording['provider'], RegExp> = {
  anthropic: /^message/,
  gemini: /^$/,
  mistral: /^chat\.completion/,
  zai: /^chat\.completion/,
}

function isAnswer(provider: Recording['provider'], [first]: Json[]): boolean {
  if (provider === 'gemini') return first !== undefined && 'candidates' in first
  return MARKS[provider].test(String(first?.object ?? first?.type ?? ''))
}

type Fields = Record<string, Json & { [name: string]: never }>
const list = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : [])
const of = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const words = (value: unknown): string => (typeof value === 'string' ? value : '')
const count = (value: unknown): number => (typeof value === 'number' ? value : 0)
const argsOf = (json: string): Call['args'] => (json === '' ? {} : (JSON.parse(json) as Call['args']))

const READERS: Record<Recording['provider'], (bodies: Json[]) => Said> = {
  anthropic: readMessages,
  gemini: readCandidates,
  mistral: readChoices,
  zai: readChoices,
}

/** A message, or its events. */
function readMessages(bodies: Json[]): Said {
  let text = ''
  const calls = new Map<unknown, { name: string; json: string }>()
  let usage: Json = {}
  const count_ = (more: unknown) => {
    for (const [name, value] of Object.entries(of(more))) if (value !== null) usage = { ...usage, [name]: value }
  }
  const open = (block: Json, index: unknown) => {
    text += block.type === 'text' ? words(block.text) : ''
    if (block.type !== 'tool_use') return
    const json = Object.keys(of(block.input)).length === 0 ? '' : JSON.stringify(block.input)
    calls.set(index, { name: words(block.name), json })
  }
  for (const body of bodies) {
    const { text: said, partial_json: json } = of(body.delta)
    if (body.type === 'message') list(body.content).forEach(open)
    if (body.type === 'content_block_start') open(of(body.content_block), body.index)
    if (body.type === 'content_block_delta') {
      text += words(said)
      const call = calls.get(body.index)
      if (call) call.json += words(json)
    }
    count_(of(body.message).usage)
    count_(body.usage)
    const explanation = of(of(body.stop_details ?? of(body.delta).stop_details)).explanation
    text += words(explanation)
  }
  const input = ['input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'] as const
  // Summaries on the way are told of beside the rest, and paid for.
  const iterations = (usage.iterations ?? []) as Json[]
  const paid = [usage, ...iterations.filter(({ type }) => type === 'compaction')]
  const sum = (counts: number[]) => counts.reduce((total, one) => total + one, 0)
  return {
    text,
    calls: [...calls.values()].map(({ name, json }) => ({ name, args: argsOf(json) })),
    usage: {
      input: sum(paid.flatMap((pass) => input.map((name) => count(pass[name])))),
      output: sum(paid.map((pass) => count(pass.output_tokens))),
    },
  }
}

/** Candidates, or pieces of them; every piece counts all so far. */
function readCandidates(bodies: Json[]): Said {
  const parts = bodies.flatMap(({ candidates }) => list(of(list(candidates)[0]?.content).parts))
  const counted = bodies.map(({ usageMetadata }) => of(usageMetadata))
  const most = (name: string) => Math.max(0, ...counted.map((one) => count(one[name])))
  return {
    text: parts.map(({ text, thought }) => ((thought as unknown) === true ? '' : words(text))).join(''),
    calls: parts.flatMap(({ functionCall: call }) =>
      call ? [{ name: words(call.name), args: of(call.args) as Call['args'] }] : [],
    ),
    usage: {
      input: most('promptTokenCount') + most('toolUsePromptTokenCount'),
      output: most('candidatesTokenCount') + most('thoughtsTokenCount'),
    },
  }
}

/** The first choice, or its deltas. */
function readChoices(bodies: Json[]): Said {
  let text = ''
  let usage: Json | null = null
  const calls = new Map<unknown, { name: string; json: string }>()
  for (const body of bodies) {
    const choice = list(body.choices).find(({ index }) => ((index as unknown) ?? 0) === 0)
    const said = of(choice?.delta ?? choice?.message)
    text += words(said.content) + words(said.refusal)
    text += list(said.content)
      .map((part) => words(part.text))
      .join('')
    for (const [place, call] of list(said.tool_calls).entries()) {
      const key = bodies.length === 1 ? place : ((call.index as unknown) ?? call.id)
      const { name, arguments: json } = of(call.function)
      const known = calls.get(key) ?? { name: words(name), json: '' }
      calls.set(key, { ...known, json: known.json + words(json) })
    }
    usage = (body.usage as Json | null | undefined) ?? (of(body.x_groq).usage as Json | undefined) ?? usage
  }
  const { prompt_tokens, completion_tokens, total_tokens, completion_tokens_details } = of(usage)
  const thoughts = count(of(completion_tokens_details).reasoning_tokens)
  // xAI counts what was thought beside what was written; its total gives that away.
  const isBeside = count(total_tokens) === count(prompt_tokens) + count(completion_tokens) + thoughts
  return {
    text,
    calls: [...calls.values()].map(({ name, json }) => ({ name, args: argsOf(json) })),
    usage: usage && {
      input: count(prompt_tokens),
      output: count(completion_tokens) + (isBeside ? thoughts : 0),
    },
  }
}
