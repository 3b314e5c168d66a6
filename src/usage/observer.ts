import type { Usage, UsageDetails } from '../store/store.ts'

/**
 * Looks at the bytes of an answer as they pass. `push` gives back what the client gets now (almost always the piece itself);
 * what it holds back comes later, from `push` or `end`.
 */
export type Observer = {
  push(piece: Buffer): Buffer | null
  /** After the provider's last byte: what was still held back. */
  end(): Buffer | null
  /** The answer is complete as its format has it, though the connection may still be open: time to settle. */
  finished(): boolean
  /** The format says how an answer ends, and this one did not end so. */
  truncated(): boolean
  /** The provider reported an error inside the answer. */
  failed(): boolean
  /** After the end of a failed answer: what tells the client of it, where that is not the provider's own word. */
  tellFailure?(): Buffer | null
  result(): Observed
}

export type Observed = {
  usage: Usage | null
  /** What was counted before the answer broke off: its input, where the provider tells of that at the beginning. */
  partial?: Usage | null
  servedModel: string | null
  /** Calls of tools that the provider runs and charges itself, where its usage does not tell of them. */
  tools: UsageDetails | null
  /** How what the client got is not what the provider sent: `skipped:1` (an event that could not be read), `done` (its end was supplied). */
  changes?: readonly string[]
  /** The generated text so far, for an estimate when no usage was reported. Null: this answer has none. */
  text(): string | null
}

/** For answers that carry no usage: everything passes, nothing is read. */
export const passThrough: Observer = {
  push: (piece) => piece,
  end: () => null,
  finished: () => false,
  truncated: () => false,
  failed: () => false,
  result: () => ({ usage: null, servedModel: null, tools: null, text: () => null }),
}
