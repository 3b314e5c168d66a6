/**
 * Which names of the two sides are one model. Callers ask for `gpt-4o`, `openai:gpt-4o` or `gpt-4o-2024-08-06`, the ledger keeps what they
 * said, and the provider reports `gpt-4o-2024-08-06`.
 *
 * - The provider in front is no part of the name, nor is the case.
 * - A name without a date, or with `-latest`, that only one side has is an alias: it and all dated names of the other side that begin so
 *   are one model. Which of several it stood for on which day, nobody knows, so they are compared as one.
 * - Everything else is a model of its own: rather a difference too much than one that is hidden.
 *
 * Gives, for a name of either side, the name of its group.
 */
export function matchNames(
  provider: string,
  ours: Iterable<string>,
  theirs: Iterable<string>,
): (name: string) => string {
  const ourKeys = new Set(Array.from(ours, (name) => keyOf(provider, name)))
  const theirKeys = new Set(Array.from(theirs, (name) => keyOf(provider, name)))
  const groups = createGroups()
  joinAliases(ourKeys, theirKeys, groups.join)
  joinAliases(theirKeys, ourKeys, groups.join)
  return (name) => groups.of(keyOf(provider, name))
}

function joinAliases(from: Set<string>, to: Set<string>, join: (one: string, other: string) => void): void {
  const byBase = new Map<string, string[]>()
  for (const key of to) byBase.set(baseOf(key), [...(byBase.get(baseOf(key)) ?? []), key])
  for (const alias of from) {
    if (to.has(alias) || !isAlias(alias)) continue
    for (const dated of byBase.get(baseOf(alias)) ?? []) join(alias, dated)
  }
}

/**
 * `Claude Sonnet 4.5` is how the cost export of Anthropic's console spells `claude-sonnet-4-5` (seen in exports that others have
 * published); no name of an API has a space.
 */
function keyOf(provider: string, name: string): string {
  const lower = name.trim().toLowerCase()
  const bare =
    lower.startsWith(`${provider}:`) || lower.startsWith(`${provider}/`) ? lower.slice(provider.length + 1) : lower
  return /^claude [\w .]+$/.test(bare) ? bare.replace(/[ .]+/g, '-') : bare
}

/** `-2024-08-06`, `-20250929`, `-0613` (month and day, OpenAI), `-2411` (year and month, Mistral), `-latest`. */
const SUFFIX = /-(?:20\d\d-\d\d-\d\d|20\d{6}|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|2\d(?:0[1-9]|1[0-2])|latest)$/

const baseOf = (key: string) => key.replace(SUFFIX, '')
const isAlias = (key: string) => baseOf(key) === key || key.endsWith('-latest')

/** Sets that grow together. A group is called by the shortest of its names. */
function createGroups() {
  const parents = new Map<string, string>()
  const of = (key: string): string => {
    let root = key
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next
    return root
  }
  return {
    of,
    join(one: string, other: string): void {
      const [a, b] = [of(one), of(other)]
      if (a === b) return
      const [root, child] = a.length < b.length || (a.length === b.length && a < b) ? [a, b] : [b, a]
      parents.set(child, root)
    },
  }
}
