/** True when one of `patterns` matches the whole text. `*` stands for any characters, everything else for itself. Linear time. */
export const matchesGlob = (patterns: readonly string[], text: string): boolean =>
  patterns.some((pattern) => pattern === text || (pattern.includes('*') && matchesOne(pattern, text)))

function matchesOne(pattern: string, text: string): boolean {
  const parts = pattern.split('*')
  const head = parts[0]!
  const tail = parts.at(-1)!
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false
  // The first place where a middle part fits is as good as any later one.
  let from = head.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, from)
    if (found === -1) return false
    from = found + part.length
  }
  return from <= text.length - tail.length
}
