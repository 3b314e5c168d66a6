import { compileGlob } from '../domain/globs.ts'
import type { Comparison, Condition, Feature, Rule } from './types.ts'

/** What rules ask of a request. What costs something to know is a function: it is asked when all else fits, and once at the most. */
export type RequestFacts = {
  /** As the caller names it; null where the request names none. */
  model: string | null
  /** The path, as `/v1/chat/completions`. */
  endpoint: string
  projectId: string
  projectName: string
  tokenId: string | null
  stream: boolean
  promptTokens: () => number
  features: () => ReadonlySet<Feature>
  /** Of the token. */
  metadata: Readonly<Record<string, unknown>>
  /** By lower-case names, as Node has them. */
  headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * The first rule that fits. When it has a weight, one by chance, in proportion to the weights: it or one of those that follow it without
 * a rule that has none between, and that fit too. `random`: from 0 to below 1. Null: none fits. Lists are compiled once, and never change.
 */
export function findRule(rules: readonly Rule[], facts: RequestFacts, random: () => number): Rule | null {
  if (rules.length === 0) return null
  const candidates = compile(rules).of(facts.model)
  const asked = new Asked(facts)
  const first = candidates.findIndex(({ fits }) => fits(facts, asked))
  if (first === -1) return null
  const { rule, row } = candidates[first]!
  if (row === null) return rule
  const fitting = [rule]
  for (let i = first + 1; i < candidates.length && candidates[i]!.row === row; i++)
    if (candidates[i]!.fits(facts, asked)) fitting.push(candidates[i]!.rule)
  return fitting.length === 1 ? rule : pick(fitting, random())
}

function pick(rules: readonly Rule[], chance: number): Rule {
  let left = chance * rules.reduce((sum, { weight }) => sum + weight!, 0)
  for (const rule of rules) {
    left -= rule.weight!
    if (left < 0) return rule
  }
  // What rounding has left over.
  return rules.at(-1)!
}

/** Keeps what was costly to know. */
class Asked {
  readonly #facts: RequestFacts
  #tokens: number | undefined
  #features: ReadonlySet<Feature> | undefined

  constructor(facts: RequestFacts) {
    this.#facts = facts
  }

  tokens(): number {
    this.#tokens ??= this.#facts.promptTokens()
    return this.#tokens
  }

  features(): ReadonlySet<Feature> {
    this.#features ??= this.#facts.features()
    return this.#features
  }
}

type Test = (facts: RequestFacts, asked: Asked) => boolean
/** `row`: of the neighbours with weights; null: it has none. `fits`: besides the model. */
type Compiled = { rule: Rule; fitsModel: (model: string | null) => boolean; fits: Test; row: number | null }
type Table = { of(model: string | null): readonly Compiled[] }

const tables = new WeakMap<readonly Rule[], Table>()
/** Callers choose names. */
const MAX_KNOWN = 1000
const MAX_NAME = 200

function compile(rules: readonly Rule[]): Table {
  const compiled = tables.get(rules)
  if (compiled !== undefined) return compiled
  let row = 0
  const all = rules.map((rule): Compiled => {
    if (rule.weight === null) row++
    const tests = testsOf(rule.when)
    return {
      rule,
      fitsModel: modelTest(rule.when.model),
      fits: (facts, asked) => tests.every((test) => test(facts, asked)),
      row: rule.weight === null ? null : row,
    }
  })
  const known = new Map<string | null, readonly Compiled[]>()
  const table: Table = {
    of(model) {
      const found = known.get(model)
      if (found !== undefined) return found
      const candidates = all.filter(({ fitsModel }) => fitsModel(model))
      if (model !== null && model.length > MAX_NAME) return candidates
      if (known.size >= MAX_KNOWN) known.clear()
      known.set(model, candidates)
      return candidates
    },
  }
  tables.set(rules, table)
  return table
}

function modelTest(pattern: string | undefined): Compiled['fitsModel'] {
  if (pattern === undefined) return () => true
  const fits = compileGlob(pattern)
  return (model) => model !== null && fits(model)
}

/** All but that of the model, the cheapest first. */
function testsOf(when: Condition): Test[] {
  const { endpoint, project, token, stream, metadata = {}, headers = {}, has, promptTokens } = when
  const tests: Test[] = []
  if (stream !== undefined) tests.push((facts) => facts.stream === stream)
  if (endpoint !== undefined) {
    const fits = compileGlob(endpoint)
    tests.push((facts) => fits(facts.endpoint))
  }
  if (project !== undefined) tests.push((facts) => facts.projectId === project || facts.projectName === project)
  if (token !== undefined) tests.push((facts) => facts.tokenId === token)
  for (const [name, text] of Object.entries(metadata))
    tests.push((facts) => Object.hasOwn(facts.metadata, name) && textOf(facts.metadata[name]) === text)
  for (const [name, text] of Object.entries(headers))
    tests.push((facts) => Object.hasOwn(facts.headers, name) && headerText(facts.headers[name]) === text)
  if (has !== undefined)
    tests.push((_facts, asked) => {
      const features = asked.features()
      return has.every((feature) => features.has(feature))
    })
  if (promptTokens !== undefined) tests.push((_facts, asked) => holds(promptTokens, asked.tokens()))
  return tests
}

const holds = ({ gt, gte, lt, lte }: Comparison, value: number) =>
  (gt === undefined || value > gt) &&
  (gte === undefined || value >= gte) &&
  (lt === undefined || value < lt) &&
  (lte === undefined || value <= lte)

/** Rules say texts; a number or a flag is meant as it is written. */
const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null

const headerText = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(', ') : value)
