import { dayOf } from './export.ts'

/**
 * The UTC day of what a table says: `2026-11-21`, `2026/11/21`, a time in ISO 8601 (of UTC where it names no zone), Unix seconds or
 * milliseconds. Null for anything else: `11/21/2026` is one day here and another there.
 */
export function parseDay(cell: string): string | null {
  const text = cell.trim()
  const at = /^\d{9,10}(?:\.\d+)?$/.test(text)
    ? Number(text) * 1000
    : /^\d{12,13}$/.test(text)
      ? Number(text)
      : isoTime(text)
  return at === null || !(at >= 0 && at < Date.UTC(2100, 0)) ? null : dayOf(at)
}

const ISO =
  /^(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|UTC|[+-]\d{2}:?\d{2})?)?$/i

function isoTime(text: string): number | null {
  const [, year, , month, day, time = '00:00', zone = 'Z'] = ISO.exec(text) ?? []
  if (!year || !month || !day) return null
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const midnight = Date.parse(`${date}T00:00Z`)
  // `Date.parse` lets the 31st of a short month be the first of the next one.
  if (Number.isNaN(midnight) || dayOf(midnight) !== date) return null
  const offset = /^(?:Z|UTC)$/i.test(zone) ? 'Z' : zone.replace(/(\d{2}):?(\d{2})$/, '$1:$2')
  const at = Date.parse(`${date}T${time}${offset}`)
  return Number.isNaN(at) ? null : at
}
