import type { ConfiguredProvider, Providers } from '../providers/index.ts'
import type { Mounts } from './request-path.ts'

/** `/anthropic/v1/messages` is Anthropic's own API: every provider under its name, as its SDKs are pointed at it by their base URL. */
export const createMounts = (providers: Providers): Mounts =>
  new Map(providers.list().map((provider) => [provider.name, (rest: string) => placeIn(provider, rest)]))

/** `rest`: behind the provider's name. Its version may stand there in the provider's spelling, as `/v1`, or not at all. */
function placeIn({ basePath, speaks }: ConfiguredProvider, rest: string): { api: string; below: string } {
  const below = withoutFront(rest, basePath) ?? withoutFront(rest, '/v1') ?? rest
  if (speaks[0]?.dialect !== 'gemini') return { api: `/v1${withoutDeployment(below)}`, below }
  const compatible = withoutFront(below, '/openai')
  return { api: compatible === null ? `/v1beta${below}` : `/v1${compatible}`, below }
}

/** `/deployments/mine/chat/completions` is Azure's way to `/chat/completions`. */
const withoutDeployment = (below: string) => below.replace(/^\/deployments\/[^/]+(?=\/)/, '')

const withoutFront = (path: string, front: string): string | null =>
  front !== '' && (path === front || path.startsWith(`${front}/`)) ? path.slice(front.length) : null
