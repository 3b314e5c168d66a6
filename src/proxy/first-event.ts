import type { DialectName } from '../formats/dialect.ts'
import { UnreadableAnswer } from '../formats/dialect.ts'
import { DIALECTS } from '../formats/dialects.ts'
import type { HubError, HubEvent } from '../formats/hub.ts'
import { endOfEvent, readEvent } from '../formats/sse.ts'
import type { Answer } from './forward.ts'

/** What says nothing yet of whether an answer will come. */
const PRELUDE: ReadonlySet<HubEvent['type']> = new Set(['start', 'usage', 'ping'])

/**
 * Waits until a stream has begun in earnest: with a word, a thought, a call. Until then nothing of it may reach the client, so that
 * somebody else can still be asked. Gives the error that the stream began with instead, null where all is well or the answer is over.
 */
export async function firstEvent(answer: Answer, dialect: DialectName): Promise<HubError | null> {
  const parser = DIALECTS[dialect]!.createStreamParser()
  let unread: Buffer = Buffer.alloc(0)
  let error: HubError | null = null
  /** True: it is decided. */
  const read = (piece: Buffer): boolean => {
    unread = unread.length === 0 ? piece : Buffer.concat([unread, piece])
    if (unread.length > LONGEST_PRELUDE) return true
    for (;;) {
      const end = endOfEvent(unread, 0)
      if (end === -1) return false
      const event = readEvent(unread.subarray(0, end))
      unread = unread.subarray(end)
      if (event === null) continue
      for (const told of parser.push(event.data, event.name)) {
        if (told.type === 'error') error = told.error
        if (!PRELUDE.has(told.type) && !(told.type === 'text' && told.text === '')) return true
      }
    }
  }
  await answer.watch((piece) => {
    try {
      return read(piece)
    } catch (cause) {
      // Whoever reads the whole stream will say what is wrong with it.
      if (cause instanceof UnreadableAnswer || cause instanceof SyntaxError) return true
      throw cause
    }
  })
  return error
}

/** Bytes. No prelude is as long; what is passes on. */
const LONGEST_PRELUDE = 256 * 1024
