import type { HubAnswer, HubCandidate, HubEvent, HubPart } from './hub.ts'

/** A whole answer as the stream that a client waits for: some providers do not stream where they are asked to. */
export function eventsOf({ id, model, created, candidates, usage }: HubAnswer): HubEvent[] {
  return [
    { type: 'start', id, model, created },
    ...candidates.flatMap(candidateEvents),
    ...(usage === null ? [] : [{ type: 'usage' as const, usage }]),
    { type: 'done' },
  ]
}

function candidateEvents({ parts, finish, stopSequence, logprobs }: HubCandidate, choice: number): HubEvent[] {
  let calls = 0
  const said = parts.flatMap((part) => partEvents(part, choice, part.type === 'tool_call' ? calls++ : 0))
  const weighed: HubEvent[] = logprobs ? [{ type: 'logprobs', choice, logprobs }] : []
  const stop = stopSequence === undefined ? {} : { stopSequence }
  return [...said, ...weighed, { type: 'finish', choice, reason: finish, ...stop }]
}

function partEvents(part: HubPart, choice: number, call: number): HubEvent[] {
  switch (part.type) {
    case 'text':
      return [
        ...(part.text === '' ? [] : [{ type: 'text' as const, choice, text: part.text }]),
        ...(part.citations ?? []).map((citation) => ({ type: 'citation' as const, choice, citation })),
      ]
    case 'refusal':
      return [{ type: 'refusal', choice, text: part.text }]
    case 'reasoning': {
      const { text, signature, redacted, sealedIn } = part
      const sealer = sealedIn === undefined ? {} : { sealedIn }
      if (redacted !== undefined) return [{ type: 'redacted', choice, data: redacted, ...sealer }]
      return [
        ...(text === '' ? [] : [{ type: 'reasoning' as const, choice, text }]),
        ...(signature === undefined ? [] : [{ type: 'signature' as const, choice, signature, ...sealer }]),
      ]
    }
    case 'tool_call': {
      const { arguments: json, ...opened } = part
      return [{ ...opened, choice, call }, ...(json === '' ? [] : [{ type: 'arguments' as const, choice, call, json }])]
    }
    case 'image':
    case 'file':
    case 'audio':
      return [{ type: 'media', choice, media: part }]
    case 'tool_result':
      // Nobody answers with what is asked with.
      return []
  }
}
