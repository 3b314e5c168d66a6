import { customAlphabet, nanoid } from 'nanoid'

export type IdPrefix = 'alr' | 'proj' | 'tok' | 'key' | 'aud' | 'rte' | 'usr' | 'ses'

/** A new identifier: prefix, underscore, 21 url-safe characters (126 random bits). */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${nanoid()}`
}

const randomTail = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 16)

/**
 * The identifier of a request that came in `at` (milliseconds): `req_`, nine digits of time to the base 36, 16 random ones. Ids made
 * one after the other stand side by side in the ledger's index, so that a commit writes few of its pages.
 */
export function newRequestId(at: number): string {
  return `req_${at.toString(36).padStart(9, '0')}${randomTail()}`
}
