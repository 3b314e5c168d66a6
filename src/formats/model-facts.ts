import type { DialectName } from './dialect.ts'
import type { HubEffort, HubField } from './hub.ts'

/** What a family of models takes and refuses, whoever serves it. */
export type ModelFacts = {
  /** The longest answer, in tokens; null: not known. */
  maxOutput: number | null
  /** How it is told to reason: by a budget of tokens, by itself with an effort, by a level; null: it does not reason. */
  reasons: 'budget' | 'adaptive' | 'level' | null
  /** Efforts it takes, ascending; null: none, or not known. */
  efforts: readonly HubEffort[] | null
  /** Is told by `thinking` whether to reason, in chats as well, beside an effort where it takes one. */
  takesThinking: boolean
  /** Reasons when nobody says whether it should. */
  reasonsUnasked: boolean
  /** Smallest and largest budget of reasoning, and whether it can be told not to reason. */
  budget: { least: number; most: number; none: boolean }
  /** Takes temperature, top_p and top_k, and what else decides between tokens, while it reasons. */
  takesSampling: boolean
  /** Takes temperature and top_p together. */
  takesBothSamplings: boolean
  /** Takes sequences to stop at. */
  takesStop: boolean
  /** Lets the client begin its answer. */
  takesPrefill: boolean
  /**
   * How it goes on with an answer that is begun in the last message: as it is (`plain`), or when the message is marked with `prefix: true`,
   * and then it may repeat the beginning. Null: it would answer anew, or it is not known.
   */
  continues: 'plain' | 'prefix' | null
  /** Keeps to a JSON schema when told so. */
  takesSchema: boolean
  takesSchemaWithTools: boolean
  /** Can be made to call a tool. */
  takesForcedTool: boolean
  /** Can be told whether to call several tools at once. */
  takesParallel: boolean
  /** Calls its bound `max_completion_tokens`, and refuses `max_tokens`. */
  countsReasoning: boolean
  /** Takes tools and an effort in one chat request. */
  takesToolsWithEffort: boolean
  /** Knows instructions of a `developer` beside those of the `system`. */
  knowsDeveloper: boolean
  /** Its cache follows marks in the prompt, also where another's format carries them. */
  takesCacheMarks: boolean
  /** The dialect of the seals that it takes back where another's format carries them; null: none. */
  takesSeals: DialectName | null
  /** Wants its thoughts back, in plain text, with the calls that they led to. */
  wantsThoughts: boolean
  /** Seals its tool calls, and wants the seal back. */
  sealsCalls: boolean
  /**
   * What the ids of tool calls may look like: anything, up to forty characters, letters with `_` and `-` (and each once in a
   * conversation), or nine letters and digits.
   */
  callIds: 'any' | 'short' | 'word' | 'nine'
  /** Takes pictures inside the result of a tool; else they stand beside it. */
  takesMediaInResults: boolean
  /** Hears a user right behind the result of a tool; else it wants to have said something first. */
  takesUserAfterResults: boolean
  /** What it answers with an error, whatever is in it. */
  refuses: readonly Exclude<HubField, 'tools' | 'stop'>[]
  /** How it calls the seed of chance. */
  seedName: 'seed' | 'random_seed'
  mostTemperature: number
}

const UNKNOWN: ModelFacts = {
  maxOutput: null,
  reasons: null,
  efforts: null,
  takesThinking: false,
  reasonsUnasked: false,
  budget: { least: 1024, most: 32_768, none: true },
  takesSampling: true,
  takesBothSamplings: true,
  takesStop: true,
  takesPrefill: true,
  continues: null,
  takesSchema: true,
  takesSchemaWithTools: true,
  takesForcedTool: true,
  takesParallel: true,
  countsReasoning: false,
  takesToolsWithEffort: true,
  knowsDeveloper: false,
  takesCacheMarks: false,
  takesSeals: null,
  wantsThoughts: false,
  sealsCalls: false,
  takesMediaInResults: false,
  takesUserAfterResults: true,
  refuses: [],
  seedName: 'seed',
  mostTemperature: 2,
  callIds: 'any',
}

const LOW_TO_HIGH = ['low', 'medium', 'high'] as const
const ADAPTIVE = { reasons: 'adaptive', takesPrefill: false, continues: null, maxOutput: 128_000 } as const
const REASONING = {
  maxOutput: 128_000,
  reasons: 'adaptive',
  efforts: LOW_TO_HIGH,
  reasonsUnasked: true,
  countsReasoning: true,
  takesSampling: false,
  knowsDeveloper: true,
} as const

/**
 * From general to special: every row that matches counts, a later one over an earlier. Names are compared without a prefix of their
 * provider, in lower case. Sources: DESIGN's wire facts 2.1 to 2.6 (vendors' documentation and SDKs of August 2026, recorded refusals).
 */
const TABLE: readonly (readonly [RegExp, Partial<ModelFacts>])[] = [
  // Anthropic: documentation of extended and adaptive thinking; getModelCapabilities of the Vercel AI SDK for the longest answers.
  [
    /^claude/,
    {
      takesSchema: false,
      callIds: 'word',
      takesCacheMarks: true,
      takesSeals: 'anthropic-messages',
      continues: 'plain',
    },
  ],
  [/^claude-(?:2|instant|3-(?:opus|sonnet|haiku))/, { maxOutput: 4_096 }],
  [/^claude-3-[57]/, { maxOutput: 8_192 }],
  [/^claude-3-7/, { maxOutput: 64_000, reasons: 'budget' }],
  [/^claude-(?:opus|sonnet|haiku)-4/, { maxOutput: 64_000, reasons: 'budget', takesBothSamplings: false }],
  [/^claude-opus-4(?:-\d{8}|-0|-1|$)/, { maxOutput: 32_000 }],
  [/^claude-(?:opus-4-[1-9](?!\d)|(?:sonnet|haiku)-4-[5-9](?!\d))/, { takesSchema: true }],
  [/^claude-opus-4-5/, { efforts: LOW_TO_HIGH }],
  [/^claude-(?:opus|sonnet|haiku)-4-[6-9](?!\d)/, { ...ADAPTIVE, efforts: [...LOW_TO_HIGH, 'max'] }],
  [
    /^claude-(?:opus-4-[7-9](?!\d)|(?:opus|sonnet|haiku|fable|mythos)-(?:[5-9]|\d\d)(?!\d))/,
    { ...ADAPTIVE, efforts: [...LOW_TO_HIGH, 'xhigh', 'max'], takesSampling: false, takesSchema: true },
  ],
  [/^claude-(?:fable|mythos)/, { takesForcedTool: false }],
  // Mistral: its API answers 400 to any other id of a call, and with "Unexpected role 'user' after role 'tool'", as do its models
  // elsewhere (github.com/NousResearch/hermes-agent/issues/20154); docs.mistral.ai/capabilities/reasoning/adjustable for efforts, with
  // what was tried out in github.com/anomalyco/models.dev/pull/1986.
  [
    /^(?:open-)?(?:mistral|mixtral|ministral|magistral|codestral|devstral|pixtral|voxtral)/,
    { callIds: 'nine', takesUserAfterResults: false },
  ],
  [
    /^(?:mistral-small-(?:latest|2603)|mistral-medium-(?:latest|2604|3-5)|magistral-small)/,
    { reasons: 'adaptive', efforts: ['none', 'high'] },
  ],
  // OpenAI: its models' pages for the longest answers; "string too long. Expected a string with maximum length 40" for ids.
  [/^(?:gpt-|chatgpt-|o[1-9])/, { callIds: 'short' }],
  [/^gpt-(?:3\.5|4)/, { maxOutput: 4_096, takesSchema: false }],
  [/^gpt-4(?:-\d{4}$|$)/, { maxOutput: 8_192 }],
  [/^gpt-4-32k/, { maxOutput: 32_768 }],
  [/^(?:gpt-4o|chatgpt-4o)/, { maxOutput: 16_384, takesSchema: true }],
  [/^gpt-4o-2024-05-13/, { maxOutput: 4_096, takesSchema: false }],
  [/^gpt-4\.[1-9]/, { maxOutput: 32_768, takesSchema: true }],
  [/^gpt-4\.5/, { maxOutput: 16_384 }],
  // OpenAI: reference of reasoning models; github.com/BerriAI/litellm/issues/34569 for tools with an effort; profiles of pydantic-ai.
  [/^(?:o[1-9]|gpt-(?:[5-9]|\d\d))/, REASONING],
  [/^o[1-9]/, { maxOutput: 100_000, takesParallel: false }],
  [/^(?:o[3-9]|gpt-(?:[5-9]|\d\d))/, { takesStop: false }],
  [/^gpt-5(?!\.)/, { efforts: ['minimal', ...LOW_TO_HIGH] }],
  [/^gpt-5\.1/, { efforts: ['none', ...LOW_TO_HIGH] }],
  [/^gpt-5\.[2-9]/, { efforts: ['none', ...LOW_TO_HIGH, 'xhigh'] }],
  [/^gpt-5\.[1-4]/, { reasonsUnasked: false }],
  [/^gpt-5\.[4-9]/, { takesToolsWithEffort: false }],
  [/^gpt-5\.\d-pro/, { efforts: ['medium', 'high', 'xhigh'], reasonsUnasked: true }],
  [/^gpt-5-pro/, { efforts: ['high'] }],
  [/^gpt-5\.1-codex/, { efforts: LOW_TO_HIGH, reasonsUnasked: true }],
  [/^gpt-5\.\d-chat/, { efforts: ['medium'], reasonsUnasked: true, maxOutput: 16_384 }],
  [
    /^gpt-5-chat/,
    { reasons: null, efforts: null, reasonsUnasked: false, takesSampling: true, takesStop: true, maxOutput: 16_384 },
  ],
  [/^gpt-oss/, { reasons: 'adaptive', efforts: LOW_TO_HIGH, reasonsUnasked: true, callIds: 'any' }],
  // xAI: reference of its models: no other takes an effort.
  [/^grok-3-mini/, { reasons: 'adaptive', efforts: ['low', 'high'], reasonsUnasked: true }],
  // DeepSeek: "This response_format type is unavailable now"; guides of thinking mode: 400 without the `reasoning_content` of a call.
  [/^deepseek/, { takesSchema: false }],
  [/^deepseek-(?:reasoner|chat|v[3-9])/, { wantsThoughts: true }],
  // Moonshot: "thinking is enabled but reasoning_content is missing in assistant tool call message"; Z.ai and MiniMax: guides of thinking.
  [/^(?:kimi-k(?:2-thinking|2\.\d|[3-9])|kimi-for-coding|glm-(?:4\.[5-9]|[5-9])|minimax-m)/, { wantsThoughts: true }],
  // Google: documentation of thinking; types of js-genai 2.18.
  [/^gemini-(?:1|2\.0)/, { maxOutput: 8_192 }],
  [/^gemini/, { takesSchemaWithTools: false, takesCacheMarks: true, takesSeals: 'gemini' }],
  [/^gemini-2\.5/, { maxOutput: 65_536, reasons: 'budget', budget: { least: 0, most: 24_576, none: true } }],
  [/^gemini-2\.5-pro/, { budget: { least: 128, most: 32_768, none: false } }],
  [/^gemini-2\.5-flash-lite/, { budget: { least: 512, most: 24_576, none: true } }],
  [
    /^gemini-(?:[3-9]|\d\d)/,
    {
      maxOutput: 65_536,
      reasons: 'level',
      efforts: ['minimal', ...LOW_TO_HIGH],
      takesSchemaWithTools: true,
      sealsCalls: true,
      takesMediaInResults: true,
    },
  ],
  [/^gemini-(?:3(?:\.1)?-pro|3\.7-flash)/, { efforts: LOW_TO_HIGH }],
]

const known = new Map<string, ModelFacts>()
const MAX_KNOWN = 1_000

/** What is known of a model by its name. */
export function factsOf(model: string): ModelFacts {
  const before = known.get(model)
  if (before) return before
  const name = familyName(model)
  const facts = Object.assign({}, UNKNOWN, ...TABLE.filter(([pattern]) => pattern.test(name)).map(([, row]) => row))
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(model, facts)
  return facts
}

/** `anthropic/claude-haiku-4.5`, `us.anthropic.claude-haiku-4-5-20251001-v1:0`, `claude-haiku-4-5@20251001`: one way to write them all. */
export function familyName(model: string): string {
  const name = model
    .slice(model.lastIndexOf('/') + 1)
    .toLowerCase()
    .replace(/^(?:[a-z-]+\.)+/, '')
  return name.startsWith('claude') ? name.replace(/[.@]/g, '-') : name
}

/** More than a model can write it would not write, but refuse. */
export const boundedTokens = (asked: number | null, { maxOutput }: Pick<ModelFacts, 'maxOutput'>): number | null =>
  asked === null || maxOutput === null ? asked : Math.min(asked, maxOutput)

/** Tokens of reasoning that an effort stands for, where a model wants a number (as pydantic-ai has them). */
export const BUDGETS: Record<HubEffort, number> = {
  none: 0,
  minimal: 1_024,
  low: 2_048,
  medium: 10_000,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
}

/** The effort that a number of tokens stands for. */
export function effortOf(budgetTokens: number): HubEffort {
  if (budgetTokens === 0) return 'none'
  if (budgetTokens <= BUDGETS.minimal) return 'minimal'
  if (budgetTokens <= 4_096) return 'low'
  if (budgetTokens <= BUDGETS.medium) return 'medium'
  return budgetTokens <= BUDGETS.high ? 'high' : 'xhigh'
}

const ORDER: readonly HubEffort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** The nearest of the efforts that a model takes; of two that are as near, the higher. */
export function nearestEffort(effort: HubEffort, taken: readonly HubEffort[]): HubEffort {
  const wanted = ORDER.indexOf(effort)
  const distance = (one: HubEffort) => Math.abs(ORDER.indexOf(one) - wanted)
  return taken.reduce((best, one) => (distance(one) <= distance(best) ? one : best))
}
