import type { Dialect, Json, StreamBuilder } from '../formats/dialect.ts'
import { DIALECTS } from '../formats/dialects.ts'
import type { Continuation } from '../routing/recovery/continuation.ts'
import { resumeBuilder, spliced } from '../routing/recovery/resume.ts'
import { createTape, type Sent, type Tape } from '../routing/recovery/sent.ts'
import { createSplice, type Splice } from '../routing/recovery/splice.ts'
import type { Usage } from '../store/store.ts'
import type { Observer } from '../usage/observer.ts'
import { modelCall } from './endpoints.ts'
import type { HttpExchange } from './exchange.ts'
import type { Answer, UpstreamFailure } from './forward.ts'
import type { Target } from './plan.ts'
import { createDialectObserver } from './translate/dialect-observer.ts'
import { answerFacts, type Translation } from './translate/translation.ts'

/** A stream that broke off behind its first event: what the client has of it, which is whole events. */
export type Broken = { failure: UpstreamFailure; sent: Sent; target: Target }

/** Another answer to the same request, whose first byte is here. */
export type NextAnswer = {
  answer: Answer
  target: Target
  /** Null: it is in the client's dialect. */
  translation: Translation | null
  /** What it was asked to go on from, and the body that it was asked with. Null: it answers anew. */
  from: Continuation | null
}

/**
 * Finds another answer for a stream that broke off, or null. It holds money back for it first (`reserveMore`), keeps `exchange.answer`
 * and `exchange.cancel` at what is under way, notes the attempts that fail on the way, and gives an answer of status 2xx alone.
 */
export type Recover = (broken: Broken) => Promise<NextAnswer | null>

/** What recovery needs to know of a stream while it runs. */
export type Recovery = {
  tape: Tape
  /**
   * What the client has; null: no other answer could go on with it. Throws `invalid_request` where the request, which was passed on
   * unread, cannot be read.
   */
  read(): Sent | null
  /** Joins the next answer to what has been sent. `spent`: by those before. Call after `read`. */
  join(next: NextAnswer, sent: Sent, spent: Usage): { observer: Observer; splice: Splice }
}

/**
 * For a stream that another answer may have to go on with. Null where none can: the client's dialect is not known, or it is the
 * Responses API as its provider tells it, with numbers and ids that no other can go on with. `builder`: of a translated stream.
 */
export function createRecovery(exchange: HttpExchange, target: Target, builder: StreamBuilder | null): Recovery | null {
  const dialect = exchange.endpoint?.dialect ? DIALECTS[exchange.endpoint.dialect] : undefined
  if (!dialect || exchange.body.kind !== 'json' || (dialect.name === 'openai-responses' && builder === null))
    return null
  // Sealed thoughts of a provider that speaks the client's own dialect reach it as they are.
  const keepsThoughts = dialect.name === 'anthropic-messages' && builder === null
  let own = builder
  const tape = createTape(dialect)
  return {
    tape,
    read() {
      const sent = tape.read()
      if (sent === null) return null
      const facts = factsOf(exchange, dialect, target)
      // There is one stream of text to go on with.
      if ((facts.request.candidates ?? 1) > 1) return null
      own ??= resumeBuilder(dialect, facts, sent)
      return sent
    },
    join(next, sent, spent) {
      tape.drop()
      const splice = createSplice({ sent, from: next.from, keepsThoughts, spent })
      const { translation } = next
      const told: StreamBuilder = spliced(own!, splice)
      const sealed = translation
        ? ({ push: (event) => told.push(translation.seal(event)) } satisfies StreamBuilder)
        : told
      const parser = (translation?.to ?? dialect).createStreamParser()
      return { splice, observer: createDialectObserver({ parser, builder: sealed, secret: next.target.key }) }
    },
  }
}

/** Of a request that has been passed on unread. */
function factsOf(exchange: HttpExchange, dialect: Dialect, { model }: Target) {
  const { body, path, stream } = exchange
  const value = body.kind === 'json' ? (JSON.parse(body.bytes.toString()) as Json) : {}
  const request = dialect.parseRequest(value, { model: modelCall(path.api)?.model ?? null, stream })
  return answerFacts(exchange, request, model ?? '')
}
