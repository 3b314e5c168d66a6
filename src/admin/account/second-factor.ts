import { encode } from 'uqr'
import { beginTotp } from '../../domain/totp.ts'
import { createSealedNotes } from '../frame/sealed-note.ts'
import type { Visit } from '../frame/visit.ts'

/**
 * A second factor that is being set up. `pending` goes through the page and back, sealed: what is confirmed is what this user was given
 * a moment ago. `path`: the QR code as the path of an SVG of `size` units.
 */
export type Enrolment = { secret: string; uri: string; pending: string; path: string; size: number }

const notes = createSealedNotes('totp', ['userId', 'secret', 'uri'], 20 * 60_000)

export async function beginEnrolment({ ctx, user, now }: Visit): Promise<Enrolment> {
  const { secret, uri } = await beginTotp(user)
  const pending = notes.seal(ctx.sealer, { userId: user.id, secret, uri }, now)
  return { secret, uri, pending, ...drawCode(uri) }
}

/** Null: too old, of somebody else, or not ours. */
export function openEnrolment({ ctx, user, now }: Visit, pending: string): Enrolment | null {
  const opened = notes.open(ctx.sealer, pending, now)
  if (opened === null || opened.userId !== user.id) return null
  return { secret: opened.secret, uri: opened.uri, pending, ...drawCode(opened.uri) }
}

/** Black squares, one after the other, with the quiet border that readers need. */
function drawCode(text: string): { path: string; size: number } {
  const { data, size } = encode(text, { ecc: 'M', border: 4 })
  const squares = data.flatMap((row, y) => row.flatMap((isBlack, x) => (isBlack ? [`M${x} ${y}h1v1h-1z`] : [])))
  return { path: squares.join(''), size }
}
