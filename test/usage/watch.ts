import type { Observer } from '../../src/usage/observer.ts'

/** What a client gets of a stream in these pieces, as the relay passes it on; `early`: what it had before the stream was finished. */
export function watch(observer: Observer, pieces: readonly Buffer[]): { shown: string; early: string } {
  const out: Buffer[] = []
  let early: Buffer[] | null = null
  const show = (piece: Buffer | null) => {
    // A copy: an observer may go on to change what it was given.
    if (piece !== null) out.push(Buffer.from(piece))
  }
  for (const piece of pieces) {
    if (early !== null) {
      show(piece)
      continue
    }
    show(observer.push(piece))
    if (!observer.finished()) continue
    early = [...out]
    show(observer.end())
  }
  if (early === null) {
    early = [...out]
    show(observer.end())
  }
  return { shown: Buffer.concat(out).toString('latin1'), early: Buffer.concat(early).toString('latin1') }
}

/** Text as `watch` shows it. */
export const shownAs = (text: string) => Buffer.from(text).toString('latin1')
