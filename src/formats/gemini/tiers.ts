/** What is usual has another name here than in the hub; the others are called the same. Source: wire facts 2.7. */
export const parseTier = (tier: string): string => {
  const name = tier.toLowerCase().replace(/^service_tier_/, '')
  return name === 'standard' ? 'default' : name
}

/** Null: none of these. */
export function buildTier(tier: string): string | null {
  if (tier === 'default') return 'standard'
  if (tier === 'fast') return 'priority'
  return tier === 'flex' || tier === 'priority' ? tier : null
}
