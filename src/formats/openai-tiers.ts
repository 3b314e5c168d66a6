/* Tiers of service, as OpenAI's APIs have them. */

/** `auto` is what everyone does by himself, and not everyone knows the field. */
export const askedTier = (tier: string | null): string | null => (tier === 'auto' ? null : tier)

const KNOWN = new Set(['auto', 'default', 'flex', 'scale', 'priority'])

/** Null: none that clients know. */
export const toldTier = (tier: string | undefined): string | null =>
  tier !== undefined && KNOWN.has(tier) ? tier : null
