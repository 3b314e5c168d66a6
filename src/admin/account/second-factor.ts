import { encode } from 'uqr'
import { beginTotp } from '../../domain/totp.ts'
import type { AdminUser } from '../../store/store.ts'
import type { Visit } from '../frame/visit.ts'

/**
 * A second factor that is being set up. `pending` goes through the page and back, sealed: what is confirmed is what this user was given
 * a moment ago. `path`: the QR code as the path of an SVG of `size` units.
 */
export type Enrolment = { secret: string; uri: string; pending: string; path: string; size: number }

const KIND = 'totp'
const PATIENCE_MS = 20 * 60_000

export async function beginEnrolment({ ctx, user, now }: Visit): Promise<Enrolment> {
  const { secret, uri } = await beginTotp(ctx, user)
  const pending = ctx.sealer.seal(JSON.stringify({ kind: KIND, userId: user.id, secret, uri, at: now }))
  return { secret, uri, pending, ...drawCode(uri) }
}

/** Null: too old, of somebody else, or not ours. */
export function openEnrolment({ ctx, user, now }: Visit, pending: string): Enrolment | null {
  const opened = open(ctx.sealer, pending)
  if (opened === null || opened.userId !== user.id) return null
  const age = now - opened.at
  if (age < 0 || age > PATIENCE_MS) return null
  return { secret: opened.secret, uri: opened.uri, pending, ...drawCode(opened.uri) }
}

function open(sealer: Visit['ctx']['sealer'], pending: string) {
  try {
    const { kind, at, userId, secret, uri } = JSON.parse(sealer.open(pending)) as Record<string, unknown>
    const isOurs = kind === KIND && typeof at === 'number' && [userId, secret, uri].every((t) => typeof t === 'string')
    return isOurs ? { at, userId: userId as AdminUser['id'], secret: secret as string, uri: uri as string } : null
  } catch {
    // Altered, or sealed by another key: the same as none.
    return null
  }
}

/** Black squares, one after the other, with the quiet border that readers need. */
function drawCode(text: string): { path: string; size: number } {
  const { data, size } = encode(text, { ecc: 'M', border: 4 })
  const squares = data.flatMap((row, y) => row.flatMap((isBlack, x) => (isBlack ? [`M${x} ${y}h1v1h-1z`] : [])))
  return { path: squares.join(''), size }
}
