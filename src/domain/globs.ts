/** True when one of `patterns` matches the whole text. `*` stands for any characters, everything else for itself. Linear time. */
export const matchesGlob = (patterns: readonly string[], text: string): boolean =>
  patterns.some((pattern) => pattern === text || (pattern.includes('*') && matchesParts(pattern.split('*'), text)))

/** The same for one pattern that many texts will be held against. */
export function compileGlob(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*')
  if (parts.length === 1) return (text) => text === pattern
  if (parts.length === 2 && parts[1] === '') return (text) => text.startsWith(parts[0]!)
  return (text) => matchesParts(parts, text)
}

/** `parts`: what stands between the stars. */
function matchesParts(parts: readonly string[], text: string): boolean {
  const head = parts[0]!
  const tail = parts.at(-1)!
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false
  // The first place where a middle part fits is as good as any later one.
  let from = head.length
  for (let i = 1; i < parts.length - 1; i++) {
    const found = text.indexOf(parts[i]!, from)
    if (found === -1) return false
    from = found + parts[i]!.length
  }
  return from <= text.length - tail.length
}
