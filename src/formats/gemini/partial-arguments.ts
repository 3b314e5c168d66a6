import { type Json, UnreadableAnswer } from '../dialect.ts'

/*
 * Arguments of a call that come in pieces: `{"jsonPath":"$.tags[0]","stringValue":"Bos","willContinue":true}`, texts to be joined. Only
 * Vertex sends them, and only to those who ask. Source: types of js-genai, `PartialArg`; recorded streams.
 */

/** Longer lists are no arguments, but an attack on our memory. */
const MAX_INDEX = 10_000
/** A name behind a dot, a name in brackets, or an index. */
const STEP = /\.([^.[\]]+)|\[(?:(\d+)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/gy

type Container = Record<string | number, unknown>

/** Changes `root`. Throws `UnreadableAnswer` for a path that leads nowhere. */
export function addPartialArgument(root: Json, { jsonPath, ...partial }: Json): void {
  const path = stepsOf(String(jsonPath ?? ''))
  if (path.length === 0) return
  let at: Container = root
  path.forEach((step, index) => {
    if (typeof at !== 'object' || (Array.isArray(at) && typeof step === 'string')) throw nowhere(jsonPath)
    if (index === path.length - 1) return
    at[step] ??= typeof path[index + 1] === 'number' ? [] : createArguments()
    at = at[step] as Container
  })
  const last = path.at(-1)!
  if (typeof partial.stringValue === 'string')
    at[last] = (typeof at[last] === 'string' ? at[last] : '') + partial.stringValue
  else if (typeof partial.numberValue === 'number') at[last] = partial.numberValue
  else if (typeof partial.boolValue === 'boolean') at[last] = partial.boolValue
  else if ('nullValue' in partial) at[last] = null
}

/** Without a prototype, so that no name has a meaning of its own. */
export const createArguments = (): Json => Object.create(null) as Json

function stepsOf(path: string): (string | number)[] {
  if (!path.startsWith('$')) throw nowhere(path)
  const steps: (string | number)[] = []
  STEP.lastIndex = 1
  for (let at = 1; at < path.length; at = STEP.lastIndex) {
    const match = STEP.exec(path)
    if (!match) throw nowhere(path)
    const [, name, index, single, double] = match
    const quoted = single ?? double
    const step = index === undefined ? (name ?? quoted!.replace(/\\(.)/g, '$1')) : Number(index)
    if (step === '__proto__' || (typeof step === 'number' && step > MAX_INDEX)) throw nowhere(path)
    steps.push(step)
  }
  return steps
}

const nowhere = (path: unknown) => new UnreadableAnswer(`An argument came with the path ${JSON.stringify(path)}.`)
