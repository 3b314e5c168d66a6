import { z } from 'zod'

/**
 * A moment as an address or a form says it: a day, what a browser's field gives (which has no zone, and means UTC here), or ISO 8601
 * with a zone. In milliseconds once read.
 */
export const timeField = z
  .preprocess(
    (text) => (typeof text === 'string' && NO_ZONE.test(text) ? `${text}Z` : text),
    z.union([z.iso.datetime({ offset: true }), z.iso.datetime({ offset: true, precision: -1 }), z.iso.date()], {
      error: 'must be a time, as 2026-11-21T12:00 (UTC), or a day, as 2026-11-21',
    }),
  )
  .transform((text) => Date.parse(text))

const NO_ZONE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/

/** What was typed, for a field of the type `datetime-local`, to the second; as it is where it is no time, for one of text. */
export function shownTime(text: string): string {
  const read = timeField.safeParse(text)
  return read.success ? new Date(read.data).toISOString().slice(0, 19) : text
}
