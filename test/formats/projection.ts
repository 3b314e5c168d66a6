import type { HubAnswer, HubFinish, HubPart, HubRequest } from '../../src/formats/hub.ts'
import { parseObject } from '../../src/formats/read.ts'
import type { Usage } from '../../src/store/store.ts'

/* What must survive a translation, whatever the dialect makes of it. */

const textOf = (parts: HubPart[], type: 'text' | 'reasoning' | 'refusal') =>
  parts.map((part) => (part.type === type ? part.text : '')).join('')

const callsOf = (parts: HubPart[]) =>
  parts.flatMap((part) =>
    part.type === 'tool_call' ? [{ name: part.name, input: parseObject(part.arguments) ?? part.arguments }] : [],
  )

/** Of the first answer, as one of the dialects has no other. A refusal is text where there is no place for it. */
export function meaningOf({ model, candidates, usage }: HubAnswer) {
  const [candidate] = candidates
  const parts = candidate?.parts ?? []
  return {
    model,
    said: textOf(parts, 'text') + textOf(parts, 'refusal'),
    thought: textOf(parts, 'reasoning'),
    calls: callsOf(parts),
    finish: candidate && FINISHES[candidate.finish],
    // One dialect always counts, if only nothing.
    usage: usage && usage.inputTokens + usage.outputTokens > 0 ? countsOf(usage) : null,
  }
}

const countsOf = ({ inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens }: Usage) => ({
  inputTokens,
  outputTokens,
  cachedTokens,
  cacheWriteTokens,
  reasoningTokens,
})

/** Where one dialect knows less than the other. */
const FINISHES: Record<HubFinish, string> = {
  stop: 'stop',
  stop_sequence: 'stop',
  pause: 'stop',
  length: 'length',
  context_length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'filtered',
  refusal: 'filtered',
}

/** What a result says that has no text, where its pictures have no place. */
const POINTER = 'The result is in the next message.'

/** Who said what, instructions apart; results with what they are the results of. Blanks do not count: parts are joined by some. */
export function conversationOf({ messages, tools }: HubRequest) {
  const instructions: string[] = []
  const turns: { who: string; what: unknown }[] = []
  const names = new Map<string, string>()
  const say = (who: string, text: string) => {
    const what = text.replace(/\s+/g, '')
    const last = turns.at(-1)
    if (last?.who === who && typeof last.what === 'string') last.what += what
    else if (what !== '') turns.push({ who, what })
  }
  const hear = (role: string, part: HubPart) => {
    switch (part.type) {
      case 'text':
        return say(role, part.text)
      case 'tool_call':
        names.set(part.id, part.name)
        return turns.push({ who: role, what: { calls: part.name, with: parseObject(part.arguments) } })
      case 'image':
        return turns.push({ who: role, what: { shows: part.source.kind } })
      case 'file':
        if (part.source.kind === 'text') return say(role, `${part.name ?? ''}${part.source.text}`)
        return turns.push({ who: role, what: { gives: part.source.kind } })
    }
  }
  for (const { role, parts } of messages) {
    const isInstruction = role === 'system' || role === 'developer'
    const shown: HubPart[] = []
    for (const part of parts) {
      if (isInstruction) instructions.push(part.type === 'text' ? part.text.replace(/\s+/g, '') : part.type)
      else if (part.type === 'tool_result') {
        say(`the tool ${names.get(part.id)}`, textOf(part.parts, 'text').replace(POINTER, ''))
        shown.push(...part.parts.filter(({ type }) => type !== 'text'))
      }
    }
    if (!isInstruction) for (const part of [...shown, ...parts]) hear(role, part)
  }
  return {
    instructions: instructions.join(''),
    turns,
    tools: tools.map(({ name, description, parameters }) => [
      name,
      description,
      Object.keys((parameters?.properties ?? {}) as object),
    ]),
  }
}
