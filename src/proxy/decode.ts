import type { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { type Answer, type Receiver, UpstreamFailure } from './forward.ts'

const DECODERS: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** Where an answer's bytes come from, to be held while the client is slow. */
export type Source = { pause(): void; resume(): void }

export type Decoding = Source & { receive(receiver: Receiver): Receiver }

/** Throws `UpstreamFailure` for an encoding that nobody knows: what cannot be read cannot be metered. */
export function createDecoding(encoding: string, answer: Answer): Decoding {
  const create = DECODERS[encoding.trim().toLowerCase()]
  if (!create)
    throw new UpstreamFailure('cut', `The provider sent content-encoding ${encoding}, which was not asked for.`)
  const decoder = create()
  return {
    pause: () => void decoder.pause(),
    resume: () => void decoder.resume(),
    /** What comes in is decoded for `receiver`, no faster than it takes it. */
    receive(receiver) {
      decoder.on('data', (piece: Buffer) => receiver.onData(piece))
      decoder.on('end', () => receiver.onEnd())
      decoder.on('error', (cause) => {
        const failure = new UpstreamFailure('cut', 'The compressed answer is damaged.', { cause })
        answer.cancel(failure)
        receiver.onFailure(failure)
      })
      return {
        onData(piece) {
          if (decoder.write(piece)) return
          answer.pause()
          decoder.once('drain', () => answer.resume())
        },
        onEnd: () => decoder.end(),
        onFailure(failure) {
          decoder.destroy()
          receiver.onFailure(failure)
        },
      }
    },
  }
}
