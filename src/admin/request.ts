import { type NotKept, readBodies } from '../domain/bodies.ts'
import { GatewayError } from '../errors.ts'
import type { KeptBodies, KeptBody, LedgerRow } from '../store/store.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import { type Names, readNames } from './names.ts'
import { type Assembled, assemble } from './requests/assemble.ts'
import { describeChange } from './requests/changes.ts'
import { type Curl, curlOf } from './requests/curl.ts'
import { type Help, helpFor } from './requests/error-help.ts'
import { type Piece, readableJson } from './requests/json-tokens.ts'
import { type Waterfall, waterfallOf } from './requests/waterfall.ts'

type Data = Names & {
  row: LedgerRow
  help: Help | null
  waterfall: Waterfall
  changes: { name: string; meaning: string }[]
  curl: Curl
  /** Bodies are kept now; those of a past request may be there all the same. */
  keeps: boolean
}

/** What reading the bodies shows. */
type Shown =
  | { reason: NotKept; message: string }
  | { kept: KeptBodies; request: Piece[]; response: Piece[]; message: Assembled | null; curl: Curl }

/** One request: who asked for what, what became of it, and what it cost. */
export const request = definePage<Data>({
  path: '/requests/:id',
  title: ({ row }) => `${row.model ?? row.endpoint}, ${row.status}`,
  view: 'request',
  crumbs: () => [{ label: 'Requests', href: '/admin/requests' }],
  async load({ reads, params, ctx, origin }) {
    const row = await reads.request(params.id ?? '')
    return {
      row,
      ...(await readNames(reads, [row])),
      help: helpFor(row),
      waterfall: waterfallOf(row),
      changes: row.changes.map((name) => ({ name, meaning: describeChange(name) })),
      curl: curlOf(row, null, origin),
      keeps: ctx.config.bodyLog.request || ctx.config.bodyLog.response,
    }
  },
  actions: {
    'read-bodies': { needs: 'read_bodies', run: async (visit) => ({ shown: await show(visit) }) },
  },
})

async function show({ reads, params, ctx, actor, origin }: Visit): Promise<Shown> {
  const row = await reads.request(params.id ?? '')
  try {
    const kept = await readBodies(ctx, actor, row)
    const { request, response } = kept
    return {
      kept,
      request: readable(request?.body),
      response: readable(response?.body),
      message: response && assemble(row.endpoint, response.status, response.body),
      curl: curlOf(row, request, origin),
    }
  } catch (error) {
    const reason = error instanceof GatewayError ? (error.details?.reason as NotKept | undefined) : undefined
    if (reason === undefined) throw error
    return { reason, message: (error as GatewayError).message }
  }
}

const readable = (body: KeptBody | undefined): Piece[] => (body?.text == null ? [] : readableJson(body.text))
