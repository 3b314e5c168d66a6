import type { AppContext } from '../context.ts'
import type { ConfiguredProvider } from '../providers/index.ts'
import type { UpstreamFailure } from './forward.ts'
import { readText } from './read-text.ts'

const PATIENCE_MS = 5_000
/** Little is read out of it, but a connection whose answer was read to its end can be used again. */
const MAX_BYTES = 1024 * 1024
const TOLD_BYTES = 4096

/** `body`: its beginning. */
export type ProbeAnswer = { status: number; body: string; failure: null } | { failure: UpstreamFailure }

/** Asks a provider for something cheap that succeeds with a good key alone. Never rejects. */
export async function askProbe(
  http: AppContext['http'],
  provider: ConfiguredProvider,
  key: string,
): Promise<ProbeAnswer> {
  const { path, headers, authHeaders = provider.authHeaders } = provider.probe
  const deadline = performance.now() + PATIENCE_MS
  const answer = http.start(
    {
      origin: provider.origin,
      path: `${provider.basePath}${path}`,
      method: 'GET',
      headers: Object.entries({
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...headers,
        ...authHeaders(key),
      }).flat(),
      body: null,
    },
    deadline,
  )
  answer.limit(MAX_BYTES, deadline)
  const failure = await answer.ready.then(
    () => null,
    (thrown: UpstreamFailure) => thrown,
  )
  if (failure !== null) return { failure }
  return { status: answer.status, body: await readText(answer, TOLD_BYTES), failure: null }
}
