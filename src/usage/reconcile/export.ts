/** What both sides can tell of a model's day, in the ledger's meaning: input includes cache reads and writes, money is nano-dollars. */
export const MEASURES = [
  'requests',
  'inputTokens',
  'cachedTokens',
  'cacheWriteTokens',
  'outputTokens',
  'costNanoUsd',
] as const
export type Measure = (typeof MEASURES)[number]
export type Figures = Partial<Record<Exclude<Measure, 'costNanoUsd'>, number>> & { costNanoUsd?: bigint }

/** Only what the export tells. Several rows of a day and model add up. */
export type ExportRow = Figures & {
  /** Of UTC: `2026-11-21`. */
  day: string
  /** As the provider names it, or a line of the bill that is no model; null where the export does not say. */
  model: string | null
  /** So much may rounding have moved the cost, where it is told in whole cents. */
  roundingNanoUsd?: bigint
}

/** What the figures of OpenAI's usage API are about; each has a document of its own. */
export type Kind = 'completions' | 'embeddings' | 'moderations' | 'images' | 'audio_speeches' | 'audio_transcriptions'

/** A provider's figures of some days, whatever they were read from. */
export type Export = {
  format: string
  /** Whose format it is; null: it could be anyone's. */
  provider: string | null
  /** The time that it covers, in milliseconds: `from` inclusive, `to` exclusive. */
  from: number
  to: number
  /** The days that it speaks of, also of days without any use. */
  days: Set<string>
  rows: ExportRow[]
  /** What it is about; null: everything. */
  kinds: Set<Kind> | null
  /** What a reader of the comparison should know. */
  notes: string[]
}

/** The file is no export, or a damaged one. The text says where and what to do, for whoever gave the file. */
export class ExportError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ExportError'
  }
}

export const DAY_MS = 86_400_000

/** The UTC day of a moment: `2026-11-21`. */
export const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10)
