type Fields = Record<string, unknown>

/**
 * Of the events of a stream, what is known with this one too. Every count is of all so far; one that a later event leaves out still
 * holds (its cached tokens, as a rule).
 */
export function addUsageMetadata(before: Fields, now: unknown): Fields {
  if (typeof now !== 'object' || now === null) return before
  const known: Fields = { ...before, ...now }
  for (const name in before) {
    const [earlier, later] = [before[name], known[name]]
    if (typeof earlier === 'number' && typeof later === 'number' && earlier > later) known[name] = earlier
  }
  return known
}
