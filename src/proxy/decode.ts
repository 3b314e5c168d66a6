import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { type Answer, type Receiver, UpstreamFailure } from './forward.ts'

const DECODERS: Record<string, () => ReturnType<typeof createGunzip>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress as () => ReturnType<typeof createGunzip>,
  zstd: createZstdDecompress as () => ReturnType<typeof createGunzip>,
}

/**
 * A receiver for a compressed answer whose usage must be read, though identity was asked for: decodes it for `receiver`. An
 * encoding that nobody knows ends as a failure, because what cannot be read cannot be metered.
 */
export function decoded(encoding: string, answer: Answer, receiver: Receiver): Receiver {
  const create = DECODERS[encoding.trim().toLowerCase()]
  if (!create) {
    const failure = new UpstreamFailure(
      'cut',
      `The provider sent content-encoding ${encoding}, which was not asked for.`,
    )
    answer.cancel(failure)
    return receiver
  }
  const decoder = create()
  decoder.on('data', (piece: Buffer) => receiver.onData(piece))
  decoder.on('end', () => receiver.onEnd())
  decoder.on('error', (cause) =>
    receiver.onFailure(new UpstreamFailure('cut', 'The compressed answer is damaged.', { cause })),
  )
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
}
