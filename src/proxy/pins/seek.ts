import type { AppContext } from '../../context.ts'
import type { Caller } from '../../domain/token-index.ts'
import { GatewayError } from '../../errors.ts'
import type { Pin } from '../../store/store.ts'
import type { Exchange } from '../exchange.ts'
import { type Account, accountOf } from './account.ts'
import { type Place, placeOf } from './collections.ts'
import { referencesIn } from './references.ts'

/** What a request does to objects, and what its answer is read for. */
export type Pinning = {
  /** Null: the request is about none by its path. */
  place: Place | null
  /** `made`: a new object; `seen`: others that belong to it; `forgotten`: its end; `list`: objects of all projects. Null: nothing. */
  tells: 'made' | 'seen' | 'forgotten' | 'list' | null
  /** The request may make a container on its way. */
  runsCode: boolean
  /** Pins whose key is gone, or that have half expired: to be renewed when the provider turns out to know the objects. */
  renews: Pin[]
}

type Parts = Pick<AppContext, 'pins' | 'providers'>

/**
 * The account that the objects in path and body belong to; null: any will do. Notes on the exchange what its answer will tell. Waits
 * only where an id is named. Throws `not_found` for another project's object, `conflict` for objects of two accounts, and for those
 * of an account that is gone, `invalid_request` for more objects than anybody takes.
 */
export function seekAccount(
  parts: Parts,
  exchange: Exchange,
  caller: Caller,
): Account | null | Promise<Account | null> {
  const { path, body, method, endpoint } = exchange
  const place = placeOf(path.api)
  const isModelCall = method === 'POST' && (endpoint !== null || path.api.startsWith('/v1/messages/count_tokens'))
  if (place === null && !isModelCall) return null
  const value = body.kind === 'json' ? body.value : null
  const tells = place === null ? null : whatItTells(place, method, value)
  // Plain chats have nothing to tell.
  if (tells !== null) exchange.pinning = { place, tells, runsCode: runsCode(value), renews: [] }
  const ids = referencesIn(place, value, isModelCall)
  if (ids.length === 0) return null
  const distinct = new Set(ids)
  if (distinct.size > MOST_NAMED) throw tooMany(distinct.size)
  return find(parts, exchange, caller, distinct)
}

/** Providers take no more than some hundreds in one request; each is looked up. */
const MOST_NAMED = 2_500

async function find(
  { pins, providers }: Parts,
  exchange: Exchange,
  caller: Caller,
  ids: ReadonlySet<string>,
): Promise<Account | null> {
  const { pinning, path } = exchange
  const known = (await pins.find([...ids])).filter(({ provider }) => path.mount === null || provider === path.mount)
  const own = known.filter(({ projectId }) => projectId === caller.project.id)
  const ownIds = new Set(own.map(({ objectId }) => objectId))
  const foreign = known.find(({ objectId }) => !ownIds.has(objectId))
  if (foreign !== undefined) throw noSuchObject(foreign.objectId)
  // Of what nobody knows nothing is learnt: it may be anybody's.
  if (pinning?.tells === 'seen' && !ownIds.has(pinning.place!.objectId!)) pinning.tells = null
  if (own.length === 0) return null
  const accounts = own.map((pin) => accountOf(providers, caller, pin))
  const account = accounts[0]!
  const other = accounts.findIndex(({ provider, key }) => provider !== account.provider || key !== account.key)
  if (other !== -1) throw twoAccounts(own[0]!, own[other]!)
  const renews = own.filter((pin) => pin.keyId !== account.keyId || isHalfOver(pin, exchange.at))
  if (renews.length > 0) exchange.pinning = { ...(pinning ?? NOTHING_TOLD), renews }
  return account
}

const isHalfOver = ({ createdAt, expiresAt }: Pin, at: number) => expiresAt !== null && at > (createdAt + expiresAt) / 2

const NOTHING_TOLD: Pinning = { place: null, tells: null, runsCode: false, renews: [] }

const runsCode = (body: Record<string, unknown> | null) =>
  Array.isArray(body?.tools) &&
  body.tools.some((tool) => (tool as { type?: unknown } | null)?.type === 'code_interpreter')

function whatItTells(
  { collection: { path }, objectId, rest }: Place,
  method: string,
  body: Record<string, unknown> | null,
): Pinning['tells'] {
  if (objectId !== null) {
    if (method === 'DELETE') return rest === '' ? 'forgotten' : null
    if (path === '/v1/videos' && rest === 'remix') return 'made'
    return WITH_OTHERS.has(path) ? 'seen' : null
  }
  if (method === 'GET') return rest === '' ? 'list' : null
  if (method !== 'POST') return null
  if (path === '/v1/responses') return rest === '' && body?.store !== false ? 'made' : null
  if (path === '/v1/chat/completions') return body?.store === true ? 'made' : null
  return 'made'
}

/** Their answers name other objects that came out of them. */
const WITH_OTHERS = new Set(['/v1/batches', '/v1/fine_tuning/jobs', '/v1/uploads', '/v1/responses'])

/** The same for all ids that the caller has nothing to do with, so that it tells nothing of other projects. */
const noSuchObject = (id: string) => new GatewayError('not_found', { message: `No such object: \`${id}\`.` })

const tooMany = (count: number) =>
  new GatewayError('invalid_request', { message: `The request names ${count} objects, more than ${MOST_NAMED}.` })

const twoAccounts = (one: Pin, other: Pin) =>
  new GatewayError('conflict', {
    message: `\`${one.objectId}\` and \`${other.objectId}\` belong to different accounts at ${one.provider === other.provider ? `\`${one.provider}\`` : 'different providers'} and cannot be used in one request. Make one of them anew: an object that is made together with another goes where that is.`,
    details: { objects: [one.objectId, other.objectId] },
    headers: { 'x-should-retry': 'false' },
  })
