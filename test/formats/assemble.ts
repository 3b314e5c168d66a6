import type { Json } from '../../src/formats/dialect.ts'

/*
 * What clients make of a stream. Written after what the official SDKs do, and simpler: one answer out of many events, in the words of
 * the dialect itself.
 */

const list = (holder: Json, name: string): Json[] => {
  holder[name] ??= []
  return holder[name] as Json[]
}

/** Text of an SSE stream, as its events' data. Comments are no events. */
export const dataOfStream = (stream: string): string[] =>
  stream
    .split('\n\n')
    .map((event) => event.split('\n').find((line) => line.startsWith('data: ')))
    .flatMap((line) => (line === undefined ? [] : [line.slice('data: '.length)]))

/** A chat completion out of its chunks. */
export function assembleChat(chunks: Json[]): Json {
  const answer: Json = { object: 'chat.completion', choices: [] }
  for (const chunk of chunks) {
    for (const name of ['id', 'created', 'model', 'usage', 'service_tier', 'citations', 'search_results'])
      if (chunk[name] != null) answer[name] = chunk[name]
    if (chunk.x_groq && (chunk.x_groq as Json).usage) answer.usage = (chunk.x_groq as Json).usage
    for (const raw of chunk.choices as Json[]) {
      const choices = answer.choices as Json[]
      const index = (raw.index as number | undefined) ?? 0
      choices[index] ??= { index, message: { role: 'assistant', content: null }, finish_reason: null }
      addDelta(choices[index].message as Json, (raw.delta ?? {}) as Json)
      if (raw.finish_reason) choices[index].finish_reason = raw.finish_reason
      const logprobs = raw.logprobs as { content?: Json[] } | null | undefined
      if (logprobs?.content) {
        choices[index].logprobs ??= { content: [], refusal: null }
        list(choices[index].logprobs as Json, 'content').push(...logprobs.content)
      }
    }
  }
  return answer
}

const asParts = (content: unknown): Json[] =>
  Array.isArray(content) ? (content as Json[]) : content ? [{ type: 'text', text: content }] : []

function addDelta(message: Json, delta: Json): void {
  for (const name of ['reasoning_content', 'reasoning', 'refusal'])
    if (delta[name]) message[name] = `${message[name] ?? ''}${delta[name]}`
  // Magistral writes its thoughts as a list, and its text as both.
  if (Array.isArray(delta.content) || Array.isArray(message.content))
    message.content = [...asParts(message.content), ...asParts(delta.content)]
  else if (typeof delta.content === 'string') message.content = `${message.content ?? ''}${delta.content}`
  for (const name of ['annotations', 'reasoning_details'])
    if (delta[name]) list(message, name).push(...(delta[name] as Json[]))
  for (const piece of (delta.tool_calls ?? []) as Json[]) {
    const calls = list(message, 'tool_calls')
    const index = piece.index ?? calls.length
    let call = calls.find((one) => one.index === index)
    if (!call) {
      call = { index, id: piece.id, type: 'function', function: { name: '', arguments: '' } }
      calls.push(call)
    }
    const [into, from] = [call.function as Json, (piece.function ?? {}) as Json]
    into.name = `${into.name}${from.name ?? ''}`
    into.arguments = `${into.arguments}${from.arguments ?? ''}`
  }
}

/** A message out of its events. Throws where the grammar of blocks is broken (wire facts 4.3). */
export function assembleMessage(events: Json[]): Json {
  let message: Json | null = null
  let isStopped = false
  let open: { index: number; json: string } | null = null
  const must = (is: unknown, what: string, event: Json) => {
    if (!is) throw new Error(`${what}: ${JSON.stringify(event)}`)
  }
  for (const event of events) {
    if (event.type === 'ping') continue
    must(!isStopped, 'something came behind the end', event)
    if (event.type === 'message_start') {
      must(message === null, 'a second start', event)
      message = structuredClone(event.message) as Json
      continue
    }
    must(message, 'something came before the start', event)
    const content = message!.content as Json[]
    const block = open === null ? null : content[open.index]!
    switch (event.type) {
      case 'content_block_start':
        must(open === null, 'blocks overlap', event)
        must(event.index === content.length, 'an index is left out', event)
        open = { index: content.length, json: '' }
        content.push(structuredClone(event.content_block) as Json)
        break
      case 'content_block_delta':
        must(open !== null && open.index === event.index, 'a delta of a block that is not open', event)
        open!.json += addBlockDelta(block!, event.delta as Json)
        break
      case 'content_block_stop':
        must(open !== null && open.index === event.index, 'the end of a block that is not open', event)
        if (open!.json !== '') block!.input = JSON.parse(open!.json)
        open = null
        break
      case 'message_delta':
        must(open === null, 'a block is still open', event)
        Object.assign(message!, event.delta)
        message!.usage = { ...(message!.usage as Json), ...withoutNulls(event.usage as Json) }
        break
      case 'message_stop':
        must(message!.stop_reason !== null, 'no reason was told', event)
        isStopped = true
        break
      default:
        must(false, 'no event of this dialect', event)
    }
  }
  if (!isStopped) throw new Error('The stream did not end.')
  return message!
}

const PLACES: Record<string, string[]> = {
  text_delta: ['text'],
  thinking_delta: ['thinking'],
  signature_delta: ['thinking'],
  citations_delta: ['text'],
  input_json_delta: ['tool_use', 'server_tool_use'],
}

/** Gives what is JSON text in pieces. */
function addBlockDelta(block: Json, delta: Json): string {
  const type = String(delta.type)
  if (PLACES[type] && !PLACES[type].includes(String(block.type))) throw new Error(`${type} in a ${block.type} block`)
  switch (type) {
    case 'text_delta':
      block.text = `${block.text}${delta.text}`
      return ''
    case 'thinking_delta':
      block.thinking = `${block.thinking}${delta.thinking}`
      return ''
    case 'signature_delta':
      block.signature = delta.signature
      return ''
    case 'citations_delta':
      list(block, 'citations').push(delta.citation as Json)
      return ''
    default:
      return type === 'input_json_delta' ? String(delta.partial_json) : ''
  }
}

const withoutNulls = (usage: Json): Json =>
  Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null))
