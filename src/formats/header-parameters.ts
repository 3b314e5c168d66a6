/**
 * The parameters of a header value like `form-data; name="a"; filename="b"`, in order, names in lower case, values without their
 * quotes. `rest` is what could not be read, empty when all could.
 */
export function readParameters(value: string): {
  main: string
  parameters: [name: string, value: string][]
  rest: string
} {
  const main = /^[^;]*/.exec(value)![0]
  const parameters: [string, string][] = []
  const one = /\s*;\s*([^\s=;"]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/y
  let at = main.length
  for (;;) {
    one.lastIndex = at
    const match = one.exec(value)
    if (match === null) break
    parameters.push([match[1]!.toLowerCase(), match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? ''])
    at = one.lastIndex
  }
  return { main: main.trim(), parameters, rest: value.slice(at).trim() }
}
