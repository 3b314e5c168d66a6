import { expect } from '@jest/globals'
import type { LedgerRow } from '../../../src/store/store.ts'
import { startTestGateway } from '../../helpers/gateway.ts'
import { eventually } from '../../helpers/http.ts'
import type { Ask, Client, Hooks, Mode, Shown, Speaker } from './client.ts'
import { type ScriptedProvider, startProvider } from './provider.ts'
import { KINDS, type Kind } from './providers/kinds.ts'
import type { Turn } from './script.ts'

/** One client, one gateway, all providers. */
export type Bench = {
  speaker: Speaker
  provider(kind: Kind): ScriptedProvider
  /** The client asks a model of this provider, which does as it is told. */
  converse(kind: Kind, turns: Turn[], ask: Ask, mode: Mode, hooks?: Hooks): Promise<Shown[]>
  /** Rows that were written since the last call, oldest first, once there are `count` of them. */
  rows(count: number): Promise<LedgerRow[]>
  close(): Promise<void>
}

export async function startBench(client: Client): Promise<Bench> {
  const providers = new Map<string, ScriptedProvider>()
  for (const { name, speech } of KINDS) providers.set(name, await startProvider(speech))
  const keys = KINDS.map(({ name }) => [name, { apiKey: `key-of-${name}-0123456789`, baseUrl: providers.get(name)!.url }])
  const gateway = await startTestGateway({ config: { providers: Object.fromEntries(keys) } })
  const { secret } = await gateway.token()
  const speaker = client.connect({ url: gateway.url, token: secret })
  const provider = (kind: Kind) => providers.get(kind.name)!
  let last: string | null = null

  const since = async (): Promise<LedgerRow[]> => {
    const { data } = await gateway.ctx.store.ledger.list({}, { limit: 50 })
    const end = data.findIndex(({ requestId }) => requestId === last)
    return (end === -1 ? data : data.slice(0, end)).reverse()
  }

  return {
    speaker,
    provider,
    converse(kind, turns, ask, mode, hooks) {
      provider(kind).play(turns)
      return speaker.converse(ask, mode, hooks)
    },
    async rows(count) {
      const rows = await eventually(async () => {
        const all = await since()
        return all.length >= count && all
      }, `${count} more ledger rows`)
      last = rows.at(-1)?.requestId ?? last
      expect(rows).toHaveLength(count)
      return rows
    },
    async close() {
      await gateway.stop()
      for (const one of providers.values()) await one.close()
    },
  }
}

/** As a client names it: OpenAI's models by themselves, as they are known to SDKs. */
export const clientModel = ({ name }: Kind, model: string) => (name === 'openai' ? model : `${name}:${model}`)
