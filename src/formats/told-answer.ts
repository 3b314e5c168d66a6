import type { HubAnswer, HubCandidate, HubEvent, HubPart } from './hub.ts'

/** The answer that a stream's events tell. What comes behind one another of the same kind is one part. */
export function answerTold(events: HubEvent[]): HubAnswer {
  const answer: HubAnswer = { id: '', model: '', created: null, candidates: [], usage: null }
  const calls = new Map<string, HubPart & { type: 'tool_call' }>()
  const of = (choice: number): HubCandidate => (answer.candidates[choice] ??= { parts: [], finish: 'stop' })
  const add = (choice: number, part: HubPart) => of(choice).parts.push(part)
  const last = (choice: number) => of(choice).parts.at(-1)
  for (const event of events) {
    switch (event.type) {
      case 'start':
        Object.assign(answer, { id: event.id, model: event.model, created: event.created })
        break
      case 'text':
      case 'refusal': {
        const part = last(event.choice)
        if (part?.type === event.type) part.text += event.text
        else add(event.choice, { type: event.type, text: event.text })
        break
      }
      case 'reasoning': {
        const part = last(event.choice)
        if (part?.type === 'reasoning' && part.signature === undefined && part.redacted === undefined)
          part.text += event.text
        else add(event.choice, { type: 'reasoning', text: event.text })
        break
      }
      case 'media':
        add(event.choice, event.media)
        break
      case 'signature': {
        const { signature, sealedIn } = event
        const part = last(event.choice)
        const seal = { signature, ...(sealedIn && { sealedIn }) }
        if (part?.type === 'reasoning' && part.signature === undefined && part.redacted === undefined)
          Object.assign(part, seal)
        else add(event.choice, { type: 'reasoning', text: '', ...seal })
        break
      }
      case 'redacted':
        add(event.choice, {
          type: 'reasoning',
          text: '',
          redacted: event.data,
          ...(event.sealedIn && { sealedIn: event.sealedIn }),
        })
        break
      case 'tool_call': {
        const { type, id, name, signature, sealedIn } = event
        const part = {
          type,
          id,
          name,
          arguments: '',
          ...(signature !== undefined && { signature }),
          ...(sealedIn && { sealedIn }),
        }
        calls.set(`${event.choice} ${event.call}`, part)
        add(event.choice, part)
        break
      }
      case 'arguments':
        calls.get(`${event.choice} ${event.call}`)!.arguments += event.json
        break
      case 'citation': {
        const part = of(event.choice).parts.findLast(({ type }) => type === 'text')
        if (part?.type === 'text') part.citations = [...(part.citations ?? []), event.citation]
        break
      }
      case 'logprobs':
        of(event.choice).logprobs = [...(of(event.choice).logprobs ?? []), ...event.logprobs]
        break
      case 'finish':
        of(event.choice).finish = event.reason
        if (event.stopSequence !== undefined) of(event.choice).stopSequence = event.stopSequence
        break
      case 'usage':
        answer.usage = event.usage
        break
    }
  }
  // A choice that was left out leaves a hole.
  return { ...answer, candidates: answer.candidates.filter(() => true) }
}
