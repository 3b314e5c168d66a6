import { expect } from '@jest/globals'
import type { LedgerRow } from '../../../src/store/store.ts'
import { startTestGateway } from '../../helpers/gateway.ts'
import { eventually } from '../../helpers/http.ts'
import type { Ask, Client, Hooks, Mode, Shown, Speaker } from './client.ts'
import { type ScriptedProvider, startProvider } from './provider.ts'
import { KINDS, type Kind } from './providers/kinds.ts'
import type { Turn } from './script.ts'

/** One gateway, with every provider behind it. */
export type House = {
  url: string
  token: string
  provider(kind: Kind): ScriptedProvider
  /** The last rows of the books, the newest first. */
  newest(): Promise<LedgerRow[]>
  close(): Promise<void>
}

export async function openHouse(): Promise<House> {
  const providers = new Map<Kind, ScriptedProvider>()
  for (const kind of KINDS) providers.set(kind, await startProvider(kind.speech))
  const keys = KINDS.map((kind) => [
    kind.name,
    { apiKey: `key-of-${kind.name}-0123456789`, baseUrl: providers.get(kind)!.url },
  ])
  const gateway = await startTestGateway({ config: { providers: Object.fromEntries(keys) } })
  const { secret } = await gateway.token()
  return {
    url: gateway.url,
    token: secret,
    provider: (kind) => providers.get(kind)!,
    newest: async () => (await gateway.ctx.store.ledger.list({}, { limit: 20 })).data,
    async close() {
      await gateway.stop()
      for (const provider of providers.values()) await provider.close()
    },
  }
}

/** One client and one provider. */
export type Bench = {
  client: Client
  kind: Kind
  speaker: Speaker
  provider: ScriptedProvider
  /** The client's words are not passed on as they are. */
  isTranslated: boolean
  /** As the client calls a model of this provider. */
  nameOf(model: string): string
  /** The client asks this model, and its provider does as it is told. */
  converse(model: string, turns: Turn[], ask: Omit<Ask, 'model'>, mode: Mode, hooks?: Hooks): Promise<Shown[]>
  /** What was written since the conversation began, once there are `count` rows. */
  rows(count: number): Promise<LedgerRow[]>
}

export function benchOf(house: House, client: Client, speaker: Speaker, kind: Kind): Bench {
  const provider = house.provider(kind)
  // SDKs know OpenAI's models by their bare names.
  const nameOf = (model: string) => (kind.name === 'openai' ? model : `${kind.name}:${model}`)
  let last: string | null = null

  const newRows = async (): Promise<LedgerRow[]> => {
    const rows = await house.newest()
    const end = rows.findIndex(({ requestId }) => requestId === last)
    return (end === -1 ? rows : rows.slice(0, end)).reverse()
  }

  return {
    client,
    kind,
    speaker,
    provider,
    isTranslated: !kind.speaks.includes(client.dialect),
    nameOf,
    async converse(model, turns, ask, mode, hooks) {
      last = (await newRows()).at(-1)?.requestId ?? last
      provider.play(turns)
      return speaker.converse({ ...ask, model: nameOf(model) }, mode, hooks)
    },
    async rows(count) {
      const rows = await eventually(async () => {
        const all = await newRows()
        return all.length >= count && all
      }, `${count} ledger rows`)
      expect(rows).toHaveLength(count)
      return rows
    },
  }
}
