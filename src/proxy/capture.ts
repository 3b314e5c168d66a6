import type { Omitted } from '../store/store.ts'
import { headerOf } from './headers.ts'

/** The beginning of a body that passes in pieces, and the size of all of it. Holds no more than `most` bytes, in one block. */
export class Capture {
  size = 0
  readonly #most: number
  #block: Buffer = NOTHING
  #length = 0

  constructor(most: number) {
    this.#most = most
  }

  add(piece: Uint8Array): void {
    this.size += piece.length
    const taken = Math.min(piece.length, this.#most - this.#length)
    if (taken <= 0) return
    this.#grow(this.#length + taken)
    // Pieces belong to larger blocks, which would be held by them.
    this.#block.set(taken === piece.length ? piece : piece.subarray(0, taken), this.#length)
    this.#length += taken
  }

  get bytes(): Buffer {
    return this.#block.subarray(0, this.#length)
  }

  #grow(needed: number): void {
    if (needed <= this.#block.length) return
    // Of its own: a part of Node's pool would hold the whole pool.
    const block = Buffer.allocUnsafeSlow(Math.min(this.#most, Math.max(needed, this.#block.length * 2)))
    this.#block.copy(block, 0, 0, this.#length)
    this.#block = block
  }
}

const NOTHING = Buffer.alloc(0)

/** Types of bodies that people can read. Forms are none: they hold passwords under any name. */
const TEXT = /^(?:text\/|application\/(?:[\w.+-]+\+)?(?:json|xml)\b|application\/(?:x-)?(?:ndjson|jsonl|jsonlines)\b)/i

/** By its headers, why a body is not kept; null: it is. Without a type it may well be a text. */
export function omittedBy(headers: readonly string[]): Omitted | null {
  const encoding = headerOf(headers, 'content-encoding')
  if (encoding !== null && encoding !== 'identity') return 'compressed'
  const type = headerOf(headers, 'content-type')
  return type === null || TEXT.test(type) ? null : 'not_text'
}
