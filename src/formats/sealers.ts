import type { HubAnswer, HubEvent, HubMessage, HubPart } from './hub.ts'
import { dialectOf, providerOf, type Sealed } from './seals.ts'

/*
 * Which provider made a seal: said in its answer, and asked before a request goes out. A provider is an opaque name here.
 */

/** Claude's are good wherever Claude is served. Source: platform.claude.com/docs/en/build-with-claude/extended-thinking. */
const PORTABLE = 'anthropic-messages'

const named = <T extends Sealed>(sealed: T, provider: string): T =>
  sealed.sealedIn === undefined || dialectOf(sealed.sealedIn) === PORTABLE
    ? sealed
    : { ...sealed, sealedIn: `${dialectOf(sealed.sealedIn)}@${provider}` }

/** With the name of the provider on each of its seals. */
export const answerSealedBy = (answer: HubAnswer, provider: string): HubAnswer => ({
  ...answer,
  candidates: answer.candidates.map((candidate) => ({
    ...candidate,
    parts: candidate.parts.map((part) => (isSealable(part) ? named(part, provider) : part)),
  })),
})

export const eventSealedBy = (event: HubEvent, provider: string): HubEvent =>
  'sealedIn' in event ? named(event, provider) : event

/** Without the seals that are known to be another provider's: what they were on is said without them. No name goes out. */
export const sealsFor = (messages: HubMessage[], provider: string): HubMessage[] =>
  messages.map((message) =>
    message.parts.some((part) => makerOf(part) !== null)
      ? { ...message, parts: message.parts.flatMap((part) => partFor(part, provider)) }
      : message,
  )

function partFor(part: HubPart, provider: string): HubPart[] {
  const maker = makerOf(part)
  if (maker === null) return [part]
  return maker === provider ? [{ ...part, sealedIn: dialectOf((part as Sealed).sealedIn!) } as HubPart] : unsealed(part)
}

const isSealable = (part: HubPart): part is HubPart & Sealed => part.type === 'reasoning' || part.type === 'tool_call'

const makerOf = (part: HubPart): string | null =>
  isSealable(part) && part.sealedIn !== undefined ? providerOf(part.sealedIn) : null

function unsealed(part: HubPart): HubPart[] {
  if (part.type === 'tool_call') {
    const { signature: _, sealedIn: __, ...call } = part
    return [call]
  }
  // What is nothing but a seal has nothing left.
  return part.type === 'reasoning' && part.text !== '' ? [{ type: 'reasoning', text: part.text }] : []
}
