import { LRUCache } from 'lru-cache'
import type { Project, ProviderKey, Store, Token } from '../store/store.ts'
import { hashToken, looksLikeToken } from './secrets.ts'

/** A provider key ready for use. */
export type OpenKey = { id: string; provider: string; secret: string; weight: number }

/** Who asks, with all that is needed to serve him. */
export type Caller = { token: Token; project: Project; keys: OpenKey[]; ipList: IpList | null }
export type IpList = { allows(address: string): boolean }

export type TokenIndex = {
  /** The caller behind a proxy token, null when there is none. Waits for the database only when the token is not at hand. */
  find(token: string): Caller | null | Promise<Caller | null>
  /** As a request of this token would be served. */
  toCaller(found: { token: Token; project: Project; keys: ProviderKey[] }): Caller
}

type Options = {
  store: Pick<Store, 'tokens' | 'revision'>
  openKey(sealed: string): string
  toIpList(ranges: string[]): IpList
  /** Told when a provider key cannot be opened; the caller is then served without it. */
  onUnreadableKey(key: ProviderKey, error: unknown): void
  maxTokens?: number
  maxUnknown?: number
}

/**
 * The tokens in use, by hash, in memory. Every look-up asks `store.revision()` first: a change made by a management call of this
 * process, or by any other process on the same database, empties the index before the next request is let in.
 */
export function createTokenIndex(options: Options): TokenIndex {
  const { store, openKey, toIpList, onUnreadableKey, maxTokens = 50_000, maxUnknown = 10_000 } = options
  const callers = new LRUCache<string, Caller>({ max: maxTokens })
  const unknown = new LRUCache<string, true>({ max: maxUnknown })
  let revision = store.revision()

  const load = async (hash: string): Promise<Caller | null> => {
    const begun = revision
    const found = await store.tokens.findByHash(hash)
    // A change since then may have made this answer old: serve it (the request came before the change), but do not keep it.
    const keep = begun === revision && begun === store.revision()
    if (found === null) {
      if (keep) unknown.set(hash, true)
      return null
    }
    const caller = toCaller(found)
    if (keep) callers.set(hash, caller)
    return caller
  }

  const toCaller: TokenIndex['toCaller'] = ({ token, project, keys }) => ({
    token,
    project,
    keys: keys.flatMap(open),
    ipList: token.allowedIps && toIpList(token.allowedIps),
  })

  const open = (key: ProviderKey): OpenKey[] => {
    try {
      return [{ id: key.id, provider: key.provider, secret: openKey(key.sealed), weight: key.weight }]
    } catch (error) {
      onUnreadableKey(key, error)
      return []
    }
  }

  return {
    toCaller,
    find(token) {
      if (!looksLikeToken(token)) return null
      const current = store.revision()
      if (current !== revision) {
        revision = current
        callers.clear()
        unknown.clear()
      }
      const hash = hashToken(token)
      const caller = callers.get(hash)
      if (caller) return caller
      return unknown.has(hash) ? null : load(hash)
    },
  }
}
