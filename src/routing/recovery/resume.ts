import type { AnswerFacts, Dialect, StreamBuilder } from '../../formats/dialect.ts'
import type { Sent } from './sent.ts'

/** A builder that stands where the client's stream does, which came from the provider as it is. */
export function resumeBuilder(dialect: Dialect, facts: AnswerFacts, { events, block }: Sent): StreamBuilder {
  const builder = dialect.createStreamBuilder(facts, block ?? undefined)
  // What it gives for them the client has.
  if (block === null) for (const event of events) builder.push(event)
  return builder
}

/** A builder that tells the next answer as the rest of the one before. */
export function spliced(builder: StreamBuilder, splice: { push: StreamSplice }): StreamBuilder {
  return { push: (event) => splice.push(event).reduce((told, one) => told + builder.push(one), '') }
}

type StreamSplice = (event: Parameters<StreamBuilder['push']>[0]) => Parameters<StreamBuilder['push']>[0][]
