/** A text that comes in small pieces, and is held until its end. */
export type GrowingText = { add(piece: string): void; whole(): string }

/** So many pieces are made one at a time: each by itself takes several times the room of its letters. */
const PIECES = 128

export function createGrowingText(): GrowingText {
  let text = ''
  let pieces: string[] = []
  const whole = () => {
    text += pieces.join('')
    pieces = []
    return text
  }
  return {
    add(piece) {
      if (pieces.push(piece) === PIECES) whole()
    },
    whole,
  }
}
