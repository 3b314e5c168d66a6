/** Watches a JSON object that comes in pieces: true once it is closed. */
export function watchObject(): (piece: string) => boolean {
  let depth = 0
  let begun = false
  let inText = false
  let escaped = false
  return (piece) => {
    for (let at = 0; at < piece.length; at++) {
      const sign = piece[at]
      if (inText) {
        if (escaped) escaped = false
        else if (sign === '\\') escaped = true
        else if (sign === '"') inText = false
      } else if (sign === '"') inText = true
      else if (sign === '{' || sign === '[') {
        depth++
        begun = true
      } else if (sign === '}' || sign === ']') depth--
    }
    return begun && depth <= 0
  }
}
