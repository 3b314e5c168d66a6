import type { Store } from '../store/store.ts'
import { type DemoServer, startDemo } from './demo.ts'

export type DemoSwitch = {
  /** Where the demo provider listens, null while it is off. Cheap, never throws: every request may ask. */
  url(): string | null
  /** Brings it in line with the provider keys that there are now. Never rejects. */
  refresh(): Promise<void>
  close(): Promise<void>
}

type Options = {
  mode: boolean | 'auto'
  /** A provider key was configured (environment or YAML). */
  hasConfiguredKey: boolean
  store: { providerKeys: Pick<Store['providerKeys'], 'count'>; revision: Store['revision'] }
  start?: () => Promise<DemoServer>
}

/**
 * `auto`: the demo provider is on while there is no provider key anywhere, in this process' configuration or in the database.
 * A key that another process added is seen by the request after the first one, by `store.revision()`. Throws `StoreError`.
 */
export async function createDemoSwitch({
  mode,
  hasConfiguredKey,
  store,
  start = startDemo,
}: Options): Promise<DemoSwitch> {
  const watching = mode === 'auto' && !hasConfiguredKey
  let on = false
  let server: DemoServer | null = null
  let seen: number | null = null

  const turn = async (to: boolean) => {
    if (to) server ??= await start()
    on = to
  }

  const look = async () => {
    const revision = store.revision()
    if (revision === seen) return
    await turn((await store.providerKeys.count()) === 0)
    seen = revision
  }

  // One look at a time. One that fails leaves things as they were; the next request looks again.
  let looking = Promise.resolve()
  const refresh = () => {
    if (watching) looking = looking.then(look).catch(() => {})
    return looking
  }

  if (watching) await look()
  else await turn(mode === true)
  return {
    url() {
      void refresh()
      return on && server ? server.url : null
    },
    refresh,
    close: async () => server?.close(),
  }
}
