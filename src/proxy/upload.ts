import { pipeline, type Readable, Transform } from 'node:stream'
import { GatewayError } from '../errors.ts'
import { boundaryOf, MultipartField } from '../formats/multipart.ts'

type Watch = {
  contentType: string | undefined
  /** Called for every piece: the upload moves. */
  onBytes(piece: Buffer): void
  /** The form named its model. Throws when it may not be used. */
  onModel(model: string): void
  /** The form is written so that readers may differ on what it says. Throws when the caller may not send such a one. */
  onUnreadable(): void
  /** The body is about to end, and this is what it said. Throws when that is not enough. */
  onLast(): void
  onRefused(error: GatewayError): void
}

/**
 * Passes an upload on and watches it. The last piece waits until the body is known to be allowed, so that a provider never gets
 * the whole of a request that this caller may not make: the model's field may well stand behind the file.
 */
export function watchUpload(
  source: Readable,
  { contentType, onBytes, onModel, onUnreadable, onLast, onRefused }: Watch,
): Readable {
  const boundary = boundaryOf(contentType)
  const scanner = boundary === null ? null : new MultipartField(boundary, 'model', onModel, onUnreadable)
  let waiting: Buffer | null = null
  const watch = new Transform({
    transform(piece: Buffer, _encoding, done) {
      try {
        onBytes(piece)
        scanner?.push(piece)
      } catch (error) {
        onRefused(error as GatewayError)
        return done(error as Error)
      }
      const before = waiting
      waiting = piece
      done(null, before ?? undefined)
    },
    flush(done) {
      try {
        onLast()
        done(null, waiting ?? undefined)
      } catch (error) {
        onRefused(error as GatewayError)
        done(error as Error)
      }
    },
  })
  // A failure on either side ends the other; the receiver of the stream hears of it.
  // Heard before the receiver of the stream hears of it, so that this is the reason that is told.
  watch.once('error', (error) => {
    if (error instanceof GatewayError) onRefused(error)
  })
  pipeline(source, watch, () => {})
  return watch
}
