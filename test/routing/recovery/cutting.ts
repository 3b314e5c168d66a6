import type { AnswerFacts, Dialect, StreamBuilder } from '../../../src/formats/dialect.ts'
import type { HubAnswer, HubEvent } from '../../../src/formats/hub.ts'
import { endOfEvent, readEvent } from '../../../src/formats/sse.ts'
import { answerTold } from '../../../src/formats/told-answer.ts'
import { resumeBuilder, spliced } from '../../../src/routing/recovery/resume.ts'
import { createTape, type Sent } from '../../../src/routing/recovery/sent.ts'
import { createSplice, type SpliceOptions } from '../../../src/routing/recovery/splice.ts'
import { answerFacts, hubRequest } from '../../formats/samples.ts'

export const facts: AnswerFacts = answerFacts({
  request: hubRequest({ streamUsage: true, reasoning: { effort: 'low', budgetTokens: null, shown: true } }),
})

/** The events that a parser hears in a stream, to its end. */
export function heardIn(dialect: Dialect, stream: string | Buffer): HubEvent[] {
  const bytes = Buffer.from(stream)
  const parser = dialect.createStreamParser()
  const events: HubEvent[] = []
  for (let from = 0; from < bytes.length; ) {
    const end = endOfEvent(bytes, from)
    const one = readEvent(bytes.subarray(from, end === -1 ? bytes.length : end))
    if (one) events.push(...parser.push(one.data, one.name))
    from = end === -1 ? bytes.length : end
  }
  return [...events, ...parser.end()]
}

/** What the client gets of a stream before it is cut behind so many bytes, and what is known of that. */
export function cutAfter(dialect: Dialect, bytes: Buffer, length: number): { passed: string; sent: Sent | null } {
  const tape = createTape(dialect)
  const half = Math.floor(length / 2)
  const passed = [bytes.subarray(0, half), bytes.subarray(half, length)].map((piece) => tape.pass(piece) ?? '')
  return { passed: Buffer.concat(passed.map((piece) => Buffer.from(piece))).toString(), sent: tape.read() }
}

type Next = Partial<Omit<SpliceOptions, 'sent'>>

/** The rest of a stream as the client is told it; null: the next answer is another one. */
export function joined(dialect: Dialect, sent: Sent, next: readonly HubEvent[], options: Next = {}): string | null {
  const splice = createSplice({ sent, from: null, keepsThoughts: false, spent: null, ...options })
  const builder: StreamBuilder = spliced(resumeBuilder(dialect, facts, sent), splice)
  const rest = next.map((event) => builder.push(event)).join('')
  return splice.differs() ? null : rest
}

/** What an answer comes to, however it was cut into events. */
export const meaningOf = (events: HubEvent[]): Omit<HubAnswer, 'usage'> & { counts: number[] } => {
  const { usage: _usage, ...answer } = answerTold(events)
  const count = (type: HubEvent['type']) => events.filter((event) => event.type === type).length
  return { ...answer, counts: [count('start'), count('finish'), count('done'), count('error')] }
}
