import { expect } from '@jest/globals'
import type { LedgerRow } from '../../../src/store/store.ts'
import { startTestGateway } from '../../helpers/gateway.ts'
import { eventually } from '../../helpers/http.ts'
import type { Ask, Client, Hooks, Mode, Shown, Speaker } from './client.ts'
import { type ScriptedProvider, startProvider } from './provider.ts'
import type { Kind } from './providers/kinds.ts'
import type { Turn } from './script.ts'

/** One client, one gateway, one provider. */
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
  close(): Promise<void>
}

export async function startBench(client: Client, kind: Kind): Promise<Bench> {
  const provider = await startProvider(kind.speech)
  const key = { apiKey: `key-of-${kind.name}-0123456789`, baseUrl: provider.url }
  const gateway = await startTestGateway({ config: { providers: { [kind.name]: key } } })
  const { secret } = await gateway.token()
  const speaker = client.connect({ url: gateway.url, token: secret })
  // SDKs know OpenAI's models by their bare names.
  const nameOf = (model: string) => (kind.name === 'openai' ? model : `${kind.name}:${model}`)
  let last: string | null = null

  const newRows = async (): Promise<LedgerRow[]> => {
    const { data } = await gateway.ctx.store.ledger.list({}, { limit: 20 })
    const end = data.findIndex(({ requestId }) => requestId === last)
    return (end === -1 ? data : data.slice(0, end)).reverse()
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
    async close() {
      await gateway.stop()
      await provider.close()
    },
  }
}
