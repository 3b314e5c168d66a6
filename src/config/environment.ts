import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { nearest } from '../suggest.ts'
import { environmentNamesOf, OPTION_NAMES, type OptionName, optionOf } from './schema.ts'

export type Variables = Record<string, string | undefined>
/** Where the readers put what they find wrong. */
export type Findings = { problems: string[]; warnings: string[] }
/** Values in order of rank: the real environment first, `.env` below it. Empty ones are already left out. */
export type Environment = { cwd: string; layers: Record<string, string>[] }
/** `place`: which of the layers has it. */
export type Found = { name: string; value: string; place: 'environment' | '.env' }

const MAX_SECRET_FILE_BYTES = 65_536

/** The real environment, and `.env` in the working folder below it. An empty value counts as unset. */
export function readEnvironment(env: Variables, cwd: string, findings: Findings): Environment {
  const layers = [withoutEmpty(env), withoutEmpty(readDotEnv(cwd, findings))]
  warnOfMisspellings(layers, findings)
  return { cwd, layers }
}

/** The value that the environment has for an option: by any of its names or, for a secret, from the file that `<NAME>_FILE` says. */
export function findInEnvironment(environment: Environment, option: OptionName, findings: Findings): Found | null {
  for (const [rank, layer] of environment.layers.entries()) {
    const place = rank === 0 ? 'environment' : '.env'
    const [first, ...others] = spellings(option).filter((name) => layer[name] !== undefined)
    if (first === undefined) continue
    for (const other of others) reportDoubling(layer, first, other, findings)
    const value = layer[first]!
    if (!isFileSpelling(option, first)) return { name: first, value, place }
    const content = readSecretFile(resolve(environment.cwd, value), first, findings)
    return content === null ? null : { name: first, value: content, place }
  }
  return null
}

/** A plain variable, for `${NAME}` in YAML. */
export function lookUpVariable({ layers }: Environment, name: string): string | undefined {
  return layers.find((layer) => layer[name] !== undefined)?.[name]
}

/** Why a file could not be read, without Node's prefix. */
export function fileErrorText(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  return code === 'EISDIR' ? 'it is a folder' : (code ?? 'unknown error')
}

function readDotEnv(cwd: string, findings: Findings): Variables {
  try {
    return parseEnv(readFileSync(resolve(cwd, '.env'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      findings.problems.push(`.env: cannot be read: ${fileErrorText(error)}`)
    }
    return {}
  }
}

function withoutEmpty(variables: Variables): Record<string, string> {
  const set = Object.entries(variables).filter(([, value]) => value !== undefined && value.trim() !== '')
  // No prototype: a variable called `constructor` is unset unless somebody sets it.
  return Object.assign(Object.create(null), Object.fromEntries(set))
}

function spellings(option: OptionName): string[] {
  const names = environmentNamesOf(option)
  return optionOf(option).secret ? names.flatMap((name) => [name, `${name}_FILE`]) : names
}

function isFileSpelling(option: OptionName, name: string): boolean {
  return !environmentNamesOf(option).includes(name)
}

function reportDoubling(layer: Record<string, string>, first: string, other: string, findings: Findings): void {
  if (other === `${first}_FILE`) findings.problems.push(`${other}: ${first} is set too; keep one of the two`)
  else if (layer[first] !== layer[other]) findings.warnings.push(`${other}: ignored, since ${first} is set too`)
}

function readSecretFile(path: string, name: string, findings: Findings): string | null {
  try {
    if (statSync(path).size > MAX_SECRET_FILE_BYTES) throw Object.assign(new Error(), { code: 'larger than 64 KB' })
    const content = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    if (content !== '') return content
    findings.problems.push(`${name}: the file ${path} is empty`)
  } catch (error) {
    findings.problems.push(`${name}: cannot read ${path}: ${fileErrorText(error)}`)
  }
  return null
}

/**
 * Foreign variables are none of our business and must never stop a start, so this only warns: of names that begin with
 * `LLM_PROXY_`, and of long ones that are a slip of the finger away from one of ours. A different first letter is a
 * different word (`XAI_API_KEY` is not a misspelt `ZAI_API_KEY`).
 */
function warnOfMisspellings(layers: Record<string, string>[], findings: Findings): void {
  const known = new Set([...OPTION_NAMES.flatMap(spellings), ...COMMAND_LINE])
  const names = new Set(layers.flatMap((layer) => Object.keys(layer)))
  for (const name of names) {
    if (known.has(name)) continue
    const ours = name.startsWith('LLM_PROXY_')
    if (!ours && (name.length < 8 || !name.includes('_'))) continue
    const candidates = [...known].filter((candidate) => candidate[0] === name[0])
    const meant = nearest(name, candidates) ?? (ours ? knownSuffix(name, known) : null)
    if (meant !== null) findings.warnings.push(`${name}: not an option, ignored; did you mean ${meant}?`)
    else if (ours) findings.warnings.push(`${name}: not an option, ignored`)
  }
}

/** The command line's own: which gateway it talks to, and with which proxy token it chats. */
const COMMAND_LINE = ['LLM_PROXY_URL', 'LLM_PROXY_TOKEN']

/** `LLM_PROXY_PORT` most likely means `PORT`. */
function knownSuffix(name: string, known: Set<string>): string | null {
  return nearest(name.slice('LLM_PROXY_'.length), known, 1)
}
