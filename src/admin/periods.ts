const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A stretch of time up to now, in milliseconds, the same stretch of the period before it, and how it is cut for a chart. */
export type Period = {
  name: PeriodName
  from: number
  to: number
  before: { from: number; to: number }
  unit: 'hour' | 'day'
}
export type PeriodName = '1h' | '24h' | '7d' | '30d'

const LENGTHS: Record<PeriodName, number> = { '1h': HOUR_MS, '24h': DAY_MS, '7d': 7 * DAY_MS, '30d': 30 * DAY_MS }

export const PERIODS: readonly [PeriodName, string][] = [
  ['1h', '1 hour'],
  ['24h', '24 hours'],
  ['7d', '7 days'],
  ['30d', '30 days'],
]

/**
 * The period of this name, `24h` for any other text. All but the shortest begin with a full hour, which the ledger has summed up
 * already: what is shown is the running hour and the ones before it.
 */
export function periodOf(text: string, now: number): Period {
  const name = Object.hasOwn(LENGTHS, text) ? (text as PeriodName) : '24h'
  const length = LENGTHS[name]
  if (name === '1h')
    return { name, from: now - length, to: now, before: { from: now - 2 * length, to: now - length }, unit: 'hour' }
  const to = (Math.floor(now / HOUR_MS) + 1) * HOUR_MS
  // Of a day the hour that is not over is much, of a week next to nothing, and rows take longer to read than sums.
  const before = { from: to - 2 * length, to: name === '24h' ? now - length : to - length }
  return { name, from: to - length, to, before, unit: name === '24h' ? 'hour' : 'day' }
}

/** The starts of its hours or days, as the ledger spells them. */
export function slotsOf({ from, to, unit }: Pick<Period, 'from' | 'to' | 'unit'>): string[] {
  const grid = unit === 'hour' ? HOUR_MS : DAY_MS
  const slots: string[] = []
  for (let at = Math.floor(from / grid) * grid; at < to; at += grid) {
    const iso = new Date(at).toISOString()
    slots.push(unit === 'hour' ? `${iso.slice(0, 13)}:00:00Z` : iso.slice(0, 10))
  }
  return slots
}
