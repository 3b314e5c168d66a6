import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { nearest } from '../suggest.ts'
import { type Environment, type Findings, fileErrorText, findInEnvironment, lookUpVariable } from './environment.ts'
import { QUEUE_PATHS } from './provider-limits.ts'
import { OPTION_NAMES, yamlPathsOf } from './schema.ts'

const DEFAULT_FILE = 'llm-proxy.yaml'
const MAX_FILE_BYTES = 1_048_576

/** `label` is how problems name the file. */
export type ConfigFile = { path: string; label: string } & Said
/** What the file says, `${…}` still in place: by dotted path, and of providers that are not built in by their names. */
type Said = { values: Map<string, unknown>; customProviders: Map<string, Record<string, unknown>> }

/** The YAML file that LLM_PROXY_CONFIG names, or `llm-proxy.yaml` in the working folder; null when there is none. */
export function readConfigFile(environment: Environment, findings: Findings): ConfigFile | null {
  const named = findInEnvironment(environment, 'LLM_PROXY_CONFIG', findings)
  const path = resolve(environment.cwd, named?.value.trim() ?? DEFAULT_FILE)
  if (named === null && !existsSync(path)) return null
  const label = basename(path)
  const text = readText(path, named === null ? label : `${named.name}: ${path}`, findings)
  if (text === null) return null
  const said: Said = { values: new Map(), customProviders: new Map() }
  flatten(parseYaml(text, label, findings), label, said, findings)
  return { path, label, ...said }
}

/** Puts variables into the strings of a YAML value. Null: a variable is missing, and that has been reported. */
export function interpolate(value: unknown, name: string, environment: Environment, findings: Findings): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => interpolate(item, name, environment, findings))
    return items.includes(null) ? null : items
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, part]) => [key, interpolate(part, name, environment, findings)])
    return Object.fromEntries(entries)
  }
  return typeof value === 'string' ? interpolateText(value, name, environment, findings) : value
}

/** Whether `interpolate` would change the value. */
export function hasVariable(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasVariable)
  return typeof value === 'string' && value.includes('${')
}

function readText(path: string, label: string, findings: Findings): string | null {
  try {
    if (statSync(path).size <= MAX_FILE_BYTES) return readFileSync(path, 'utf8')
    findings.problems.push(`${label}: larger than 1 MB, which no configuration is`)
  } catch (error) {
    findings.problems.push(`${label}: cannot be read: ${fileErrorText(error)}`)
  }
  return null
}

function parseYaml(text: string, label: string, findings: Findings): unknown {
  const lineCounter = new LineCounter()
  try {
    const document = parseDocument(text, { lineCounter, prettyErrors: false })
    const faults = [...document.errors, ...document.warnings]
    if (faults.length === 0) return document.toJS()
    for (const { message, pos } of faults) {
      // What follows the colon quotes the file, which may hold secrets.
      const complaint = message.replace(/: .*$/s, '')
      findings.problems.push(`${label}: line ${lineCounter.linePos(pos[0]).line}: ${complaint}`)
    }
  } catch {
    findings.problems.push(`${label}: cannot be read: too many or unknown aliases (*name), or nested too deeply`)
  }
  return null
}

type Tree = Map<string, Tree | null>
const NOTHING: Tree = new Map()

/** What has a structure of its own: routing-file.ts reads it. */
export const STRUCTURES = ['routes', 'rules', 'app_config.failover_routes'] as const
const KNOWN_PATHS = [...OPTION_NAMES.flatMap(yamlPathsOf), ...STRUCTURES, ...QUEUE_PATHS]
/** Known keys by level; null is a key that takes a value. */
const KNOWN = buildTree(KNOWN_PATHS)

function flatten(
  node: unknown,
  label: string,
  said: Said,
  findings: Findings,
  level: Tree = KNOWN,
  parents: string[] = [],
): void {
  if (node === null || node === undefined) return
  if (typeof node !== 'object' || Array.isArray(node)) {
    const place = parents.length === 0 ? label : `${label}: ${parents.join('.')}`
    findings.problems.push(`${place}: must hold keys with values (${[...level.keys()].slice(0, 3).join(', ')} …)`)
    return
  }
  for (const [key, value] of Object.entries(node)) {
    const path = [...parents, key]
    const below = level.get(key)
    if (below === undefined && isCustomProvider(path, value)) said.customProviders.set(key, value)
    else if (below === undefined) reportUnknown(value, label, path, level, findings)
    else if (below !== null) flatten(value, label, said, findings, below, path)
    else if (value !== null && value !== '') said.values.set(path.join('.'), value)
  }
}

/** Its `kind` tells it from a misspelt name of a built-in one. */
function isCustomProvider(path: string[], value: unknown): value is Record<string, unknown> {
  return path.length === 2 && path[0] === 'providers' && isRecord(value) && Object.hasOwn(value, 'kind')
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function reportUnknown(value: unknown, label: string, path: string[], level: Tree, findings: Findings): void {
  const sibling = nearest(path.at(-1)!, level.keys())
  if (sibling === null && path.length === 2 && path[0] === 'providers') {
    const place = `${label}: ${path.join('.')}`
    findings.problems.push(`${place}: unknown provider; one of your own needs kind (openai, anthropic or gemini)`)
    return
  }
  if (sibling === null && isRecord(value)) {
    // A group that does not exist: its keys tell better what was meant.
    for (const key of Object.keys(value)) reportUnknown(null, label, [...path, key], NOTHING, findings)
    return
  }
  const meant = sibling === null ? elsewhere(path) : [...path.slice(0, -1), sibling].join('.')
  const hint = meant === null ? '' : `; did you mean ${meant}?`
  findings.problems.push(`${label}: ${path.join('.')}: unknown key${hint}`)
}

/** A known key that stands at another level: `connect_ms` for `timeouts.connect_ms`, `log.level` for `log_level`. */
function elsewhere(path: string[]): string | null {
  const wanted = path.join('_').toLowerCase()
  const spelledAlike = KNOWN_PATHS.find((known) => known.replaceAll('.', '_') === wanted)
  const sameEnding = KNOWN_PATHS.filter((known) => known.endsWith(`.${path.at(-1)}`))
  return spelledAlike ?? (sameEnding.length === 1 ? sameEnding[0]! : nearest(path.join('.'), KNOWN_PATHS))
}

function buildTree(paths: string[]): Tree {
  const root: Tree = new Map()
  for (const path of paths) {
    const keys = path.split('.')
    const leaf = keys.pop()!
    let level = root
    for (const key of keys) {
      const next: Tree = level.get(key) ?? new Map()
      level.set(key, next)
      level = next
    }
    level.set(leaf, null)
  }
  return root
}

/** `${NAME}`, `${NAME:-default}`, and `$${` for a literal `${`. */
const VARIABLE = /\$\$\{|\$\{(?:(\w+)(?::-([^}]*))?\})?/g

function interpolateText(text: string, name: string, environment: Environment, findings: Findings): string | null {
  let complete = true
  const result = text.replace(VARIABLE, (match: string, variable?: string, fallback?: string) => {
    if (match === '$${') return '${'
    const value = variable === undefined ? undefined : (lookUpVariable(environment, variable) ?? fallback)
    if (value !== undefined) return value
    complete = false
    const complaint =
      variable === undefined
        ? // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax that users write
          'has a "${" that is neither ${NAME} nor ${NAME:-default}; write $${ for a literal one'
        : `needs the environment variable ${variable}, which is not set`
    findings.problems.push(`${name}: ${complaint}`)
    return ''
  })
  return complete ? result : null
}
