import type { AppContext } from '../../context.ts'
import type { Json } from '../../formats/dialect.ts'
import { passThrough } from '../../usage/observer.ts'
import type { HttpExchange } from '../exchange.ts'
import type { Answer } from '../forward.ts'
import type { Target } from '../plan.ts'
import type { SettleParts } from '../settle.ts'
import { sendWhole } from '../translate/answer-whole.ts'
import { takeWhole } from '../translate/take-whole.ts'

/** Ten thousand files, the most that are listed at once, take three. */
const MAX_BYTES = 32 * 1024 * 1024

/**
 * Answers with a list of objects without those that are known to be other projects': several may share an account. What nobody
 * knows stays in it. Throws `upstream_cut`, `upstream_timeout`, `client_closed`; the exchange is not settled then.
 */
export async function answerList(
  parts: SettleParts & Pick<AppContext, 'pins'>,
  exchange: HttpExchange,
  target: Target,
  answer: Answer,
): Promise<void> {
  const text = await takeWhole(parts, exchange, target, answer, MAX_BYTES)
  const list = parse(text)
  const shown = list === null ? null : await withoutForeign(parts, exchange, target, list)
  if (shown !== null) exchange.changes.push('data')
  const outcome = { status: answer.status, answered: true, error: null, observer: passThrough }
  const body = shown === null ? text : JSON.stringify(shown)
  sendWhole(parts, exchange, { target, answer, translation: null }, outcome, body, [])
}

/** Null: nothing had to be left out. */
async function withoutForeign(
  { pins }: Pick<AppContext, 'pins'>,
  { caller }: HttpExchange,
  { provider }: Target,
  list: Json,
): Promise<Json | null> {
  const ids = Object.values(list).flatMap((member) => (Array.isArray(member) ? member.flatMap(idOf) : []))
  if (ids.length === 0) return null
  const known = (await pins.find(ids)).filter((pin) => pin.provider === provider.name)
  const own = new Set(known.filter(({ projectId }) => projectId === caller!.project.id).map(({ objectId }) => objectId))
  const foreign = new Set(known.map(({ objectId }) => objectId).filter((id) => !own.has(id)))
  if (foreign.size === 0) return null
  const isShown = (entry: unknown) => !idOf(entry).some((id) => foreign.has(id))
  const shown: Json = {}
  for (const [key, member] of Object.entries(list)) shown[key] = Array.isArray(member) ? member.filter(isShown) : member
  return withItsEnds(shown)
}

/**
 * A page begins and ends with what is on it. Where nothing is left of one the provider's last id stays, so that a client who goes by
 * it comes to the next.
 */
function withItsEnds(list: Json): Json {
  const ids = Array.isArray(list.data) ? list.data.flatMap(idOf) : []
  if (typeof list.first_id === 'string') list.first_id = ids[0] ?? null
  if (typeof list.last_id === 'string' && (ids.length > 0 || list.has_more !== true)) list.last_id = ids.at(-1) ?? null
  return list
}

/** OpenAI and Anthropic say `id`, Google `name`. */
function idOf(entry: unknown): string[] {
  if (typeof entry !== 'object' || entry === null) return []
  const { id, name } = entry as Json
  if (typeof id === 'string') return [id]
  return typeof name === 'string' ? [name] : []
}

function parse(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
  } catch {
    return null
  }
}
