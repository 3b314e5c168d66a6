import type { Usage, UsageDetails, UsageUnit } from '../store/store.ts'

/** Counts the calls of tools that a provider runs itself and charges apart from tokens, which no usage of OpenAI's tells of. */
export type ToolCount = {
  /** JSON of an answer, or a piece of it, each byte a character; an item may be cut between two pieces. */
  push(json: string): void
  result(): UsageDetails | null
}

/** Items in the output of OpenAI's Responses. */
const CALLS: Record<string, UsageUnit> = {
  web_search_call: 'web_searches',
  file_search_call: 'storage_searches',
  code_interpreter_call: 'code_executions',
  image_generation_call: 'image_generations',
}
/** A search is what is charged; what a model then does with the pages is not. Source: OpenAI's guide to web search. */
const NO_SEARCH = ['open_page', 'find_in_page', 'find']

/** In JSON these stand unescaped, whatever a text within it says. */
const TYPE = new RegExp(`"type": ?"(${[...Object.keys(CALLS), ...NO_SEARCH].join('|')})"`, 'g')
const LONGEST = 40

export function createToolCount(): ToolCount {
  const counts = new Map<UsageUnit, number>()
  let seam = ''
  const add = (unit: UsageUnit, calls: number) => void counts.set(unit, (counts.get(unit) ?? 0) + calls)
  return {
    push(json) {
      const text = seam + json
      for (const match of text.matchAll(TYPE)) {
        if (match.index + match[0].length <= seam.length) continue
        const unit = CALLS[match[1]!]
        if (unit) add(unit, 1)
        else add('web_searches', -1)
      }
      seam = text.slice(-LONGEST)
    },
    result() {
      const some = [...counts].filter(([, calls]) => calls > 0)
      return some.length === 0 ? null : Object.fromEntries(some)
    },
  }
}

/** These search for every answer, and say so nowhere else (chat completions). */
const SEARCHING_MODEL = /^gpt-[\w.-]+-search-(?:preview|api)/

/** The usage with the tools that were called. */
export function withTools(usage: Usage, tools: UsageDetails | null, servedModel: string | null): Usage {
  const searches = tools === null && SEARCHING_MODEL.test(servedModel ?? '') ? { web_searches: 1 } : tools
  if (searches === null || usage.source === 'none') return usage
  return { ...usage, details: { ...usage.details, ...searches } }
}
