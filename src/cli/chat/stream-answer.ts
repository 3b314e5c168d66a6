import { dataOf, endOfEvent, jsonOf } from '../../formats/sse.ts'
import { CliError } from '../failure.ts'
import { reasonOf } from '../http.ts'

export type Message = { role: 'system' | 'user' | 'assistant'; content: string }
export type Question = { url: string; token: string | null; model: string; messages: Message[]; signal?: AbortSignal }

const MAX_EVENT_BYTES = 8 * 1024 * 1024

/** The answer, piece by piece as it comes. Throws `CliError`, also when it ends before it is whole; the signal's reason when stopped. */
export async function* streamAnswer(question: Question): AsyncGenerator<string> {
  const answer = await send(question)
  if (!answer.ok || answer.body === null) throw await refusal(answer)
  if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) return yield await readWhole(answer)
  let finished = false
  for await (const event of eventsOf(answer.body, question)) {
    if (dataOf(event) === '[DONE]') return
    const { error, choices } = (jsonOf(event) ?? {}) as Record<string, unknown>
    if (error) throw new CliError(`The answer broke off: ${messageOf(error) ?? 'the provider reports an error'}`)
    const { delta, finish_reason } = Object(Array.isArray(choices) ? choices[0] : null) as Record<string, unknown>
    const { content } = Object(delta) as { content?: unknown }
    if (typeof content === 'string' && content !== '') yield content
    finished ||= typeof finish_reason === 'string'
  }
  if (!finished) throw new CliError(CUT)
}

const CUT = 'The answer was cut short.'

async function send({ url, token, model, messages, signal }: Question): Promise<Response> {
  try {
    return await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ model, messages, stream: true }),
      redirect: 'manual',
      signal: signal ?? null,
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw new CliError(
      `No gateway answers at ${url}: ${reasonOf(error)}. Start it ("llm-proxy server"), or say its address with --url.`,
    )
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array>, { signal }: Question): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  try {
    for await (const piece of body) {
      rest = Buffer.concat([rest, piece])
      let begin = 0
      for (let end = endOfEvent(rest, begin); end !== -1; end = endOfEvent(rest, begin)) {
        yield rest.subarray(begin, end)
        begin = end
      }
      rest = rest.subarray(begin)
      if (rest.length > MAX_EVENT_BYTES) throw new CliError('What comes is not an answer: an event without an end.')
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof CliError ? error : new CliError(CUT, 1, { cause: error })
  }
}

/** A provider may not care for `stream`. */
async function readWhole(answer: Response): Promise<string> {
  const { choices } = Object(await answer.json().catch(() => null)) as {
    choices?: { message?: { content?: unknown } }[]
  }
  const content = choices?.[0]?.message?.content
  if (typeof content !== 'string') throw new CliError('What answers there is not an LLM Proxy: look at --url.')
  return content
}

async function refusal(answer: Response): Promise<CliError> {
  const { error } = Object(await answer.json().catch(() => null)) as { error?: unknown }
  const told = messageOf(error) ?? `The gateway answers with status ${answer.status}.`
  return new CliError(
    answer.status === 401 ? `${told} ("llm-proxy token generate" makes one: --token, or LLM_PROXY_TOKEN.)` : told,
  )
}

function messageOf(error: unknown): string | null {
  const { message } = Object(error) as { message?: unknown }
  return typeof message === 'string' ? message : null
}
