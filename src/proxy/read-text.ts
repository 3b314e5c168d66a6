import type { Answer } from './forward.ts'

/** The beginning of an answer's body, for a log line; the rest is read and dropped. */
export function readText(answer: Answer, mostBytes: number): Promise<string> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let bytes = 0
    const done = () => resolve(Buffer.concat(pieces).toString('utf8', 0, mostBytes))
    answer.deliverTo({
      onData(piece) {
        if (bytes < mostBytes) pieces.push(piece)
        bytes += piece.length
      },
      onEnd: done,
      onFailure: done,
    })
  })
}
