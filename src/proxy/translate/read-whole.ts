import { createDecoding } from '../decode.ts'
import { type Answer, UpstreamFailure } from '../forward.ts'
import { headerOf } from '../headers.ts'

/** A whole answer as text, without its compression. Rejects with `UpstreamFailure` when it breaks off or is longer than `mostBytes`. */
export function readWhole(answer: Answer, mostBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let bytes = 0
    const receiver = {
      onData(piece: Buffer) {
        bytes += piece.length
        if (bytes <= mostBytes) pieces.push(piece)
        else answer.cancel(new UpstreamFailure('cut', `The answer is longer than ${mostBytes} bytes.`))
      },
      onEnd: () => resolve(Buffer.concat(pieces).toString('utf8')),
      onFailure: reject,
    }
    const encoding = headerOf(answer.headers, 'content-encoding')
    const isPlain = encoding === null || encoding === 'identity'
    try {
      answer.deliverTo(isPlain ? receiver : createDecoding(encoding, answer).receive(receiver))
    } catch (failure) {
      // What nobody takes would go on coming.
      if (failure instanceof UpstreamFailure) answer.cancel(failure)
      reject(failure)
    }
  })
}
