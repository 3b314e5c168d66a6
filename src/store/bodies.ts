import type { LedgerRow } from './ledger.ts'

/* What clients sent and what they were sent, word for word but for secrets: kept beside the ledger, where an operator wants it. */

/** Why a body is not there: no text that anybody could read, compressed by who sent it, or never read by the gateway. */
export type Omitted = 'not_text' | 'compressed' | 'unread'

/** A body as it came by. */
export type RawBody = {
  /** Its beginning, up to the cap; none where it is omitted. */
  bytes: Uint8Array
  /** Of all of it that came by, in bytes. */
  size: number
  /** It came to its end. */
  complete: boolean
  omitted: Omitted | null
}
/** `headers`: flat list of names and values. */
export type RawRequest = { method: string; path: string; headers: string[]; body: RawBody }
/** `status` is null when nothing was sent. */
export type RawResponse = { status: number | null; headers: string[]; body: RawBody }

/** One request, with all its secrets. `secrets`: to be masked besides those that are registered. Null: not wanted. */
export type RawBodies = Pick<LedgerRow, 'requestId' | 'at'> & {
  secrets: string[]
  request: RawRequest | null
  response: RawResponse | null
}

export type KeptBody = {
  /** The content type, as the headers say it. */
  type: string | null
  size: number
  /** Null where it is omitted. */
  text: string | null
  /** There was more of it than is kept. */
  truncated: boolean
  complete: boolean
  omitted: Omitted | null
}
/** Headers that are not known to be harmless have a mask in place of their value. */
export type KeptHeader = [name: string, value: string]
export type KeptRequest = { method: string; path: string; headers: KeptHeader[]; body: KeptBody }
export type KeptResponse = { status: number | null; headers: KeptHeader[]; body: KeptBody }

/** One request without its secrets. What a provider was sent in its place may come beside these two. */
export type KeptBodies = { request: KeptRequest | null; response: KeptResponse | null }

export interface BodyStore {
  /**
   * Masks, compresses and writes, beside the event loop. Gives how many were kept: one that cannot be read is left out. Throws
   * `StoreError`; of a batch over two months one may be written then.
   */
  append(batch: RawBodies[]): Promise<number>
  /** What was kept of the request of that row, null when it is nothing. Sees what was appended before. */
  get(row: Pick<LedgerRow, 'requestId' | 'at'>): Promise<KeptBodies | null>
  /** Deletes what is of requests before this moment: whole months at once, of others some requests. `more`: ask again. */
  retention(before: number): Promise<{ months: string[]; requests: number; more: boolean }>
}
