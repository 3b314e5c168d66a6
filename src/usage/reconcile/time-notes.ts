import { DAY_MS, dayOf, type Export } from './export.ts'

/** What makes the days of an export less than they seem. `now` in milliseconds. */
export function timeNotes({ from, to, days }: Export, now: number): string[] {
  const notes: string[] = []
  if (from % DAY_MS !== 0) notes.push(`${dayOf(from)} is compared from ${timeOf(from)} on, where the export begins.`)
  if (to > now)
    notes.push(
      `${dayOf(Math.max(now, from))} is not over: ours is as it is now, and the provider's figures come later.`,
    )
  else if (to % DAY_MS !== 0) notes.push(`${dayOf(to)} is compared until ${timeOf(to)}, where the export ends.`)
  const first = Math.floor(from / DAY_MS)
  const all = Array.from({ length: Math.ceil(to / DAY_MS) - first }, (_, i) => dayOf((first + i) * DAY_MS))
  const silent = all.filter((day) => !days.has(day))
  if (silent.length > 0) {
    const some = silent.slice(0, 5).join(', ') + (silent.length > 5 ? ` and ${silent.length - 5} more` : '')
    notes.push(`The export says nothing of ${some}: that counts as nothing used.`)
  }
  return notes
}

const timeOf = (at: number) => `${new Date(at).toISOString().slice(11, 19)} UTC`
