/** In words, what the ledger names as changed on the way. */
export function describeChange(change: string): string {
  const at = change.indexOf(':')
  const [kind, what] = at === -1 ? [change, ''] : [change.slice(0, at), change.slice(at + 1)]
  const words = Object.hasOwn(WORDS, kind) ? WORDS[kind]! : null
  return words === null ? 'changed' : words(what)
}

const WORDS: Readonly<Record<string, (what: string) => string>> = {
  model: () => 'the model was named as the provider knows it',
  stream_options: () => 'usage was asked for in the stream, and taken out of it again',
  done: () => 'the end of the stream, which was missing, was added',
  data: () => 'objects of other projects were left out of the list',
  'content-encoding': () => 'the answer came compressed and was passed on without it',
  rule: (name) => `the rule “${name}” decided where it went`,
  route: (name) => `the route “${name}” decided where it went`,
  dialect: (name) => `translated: the provider was spoken to in ${name}`,
  dropped: (name) => `left out, since the other side has no place for it: ${name}`,
  recovered: (how) =>
    how === 'continue'
      ? 'the stream broke off and was continued by another provider'
      : 'the stream broke off and was begun anew by another provider',
  skipped: (many) => `events of the stream that could not be read and were left out: ${many}`,
}
