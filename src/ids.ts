import { nanoid } from 'nanoid'

export type IdPrefix = 'proj' | 'tok' | 'key' | 'req' | 'aud'

/** A new identifier: prefix, underscore, 21 url-safe characters (126 random bits). */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${nanoid()}`
}
