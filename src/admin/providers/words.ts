import type { AppContext } from '../../context.ts'
import { settingOf } from '../../providers/setting-names.ts'
import { count, duration } from '../frame/format.ts'
import type { KeySource } from './rows.ts'

export const KEY_SOURCES: Record<KeySource, string> = {
  operator: "the operator's",
  not_needed: 'none needed',
  built_in: 'built in',
  projects: "projects' own",
  none: 'none',
}

export const WHY_RESTS = {
  limited: 'The provider limits it (429).',
  refused: 'The provider refuses it: it may have been revoked.',
}

export type Told = { tone: 'ok' | 'warn' | 'bad'; text: string; advice: string | null }
type Tested = Awaited<ReturnType<AppContext['testProvider']>>
/** `isShared`: with the operator's key; `hasKey`: false where none is needed. */
type Subject = { name: string; baseUrl: string; isShared: boolean; hasKey: boolean }

/** The outcome of a test in words, and what to do. */
export function tellTest(tested: Tested, { name, baseUrl, isShared, hasKey }: Subject): Told {
  const { verdict, status, models, networkCode } = tested
  const time = duration(tested.durationMs)
  const keySetting = settingOf(name, 'api_key')
  const address = `${settingOf(name, 'base_url')} (now ${baseUrl})`
  switch (verdict) {
    case 'ok': {
      const key = hasKey ? 'and takes the key' : 'without a key'
      const list = models === null ? 'It tells no list of models.' : `It lists ${count(models, 'model')}.`
      return { tone: 'ok', text: `${name} answered in ${time} ${key}. ${list}`, advice: null }
    }
    case 'refused':
      return {
        tone: 'bad',
        text: `${name} is reachable (${time}), and ${hasKey ? 'refuses the key' : 'wants a key'} (${status}).`,
        advice: isShared
          ? `Set ${keySetting} to a valid key and restart the gateway.`
          : 'Give the project a valid key, and delete this one.',
      }
    case 'limited':
      return {
        tone: 'warn',
        text: `${name} is reachable (${time}), and limits our requests now (429).`,
        advice: 'Wait a little, or ask the provider for a higher limit.',
      }
    case 'in_trouble':
      return {
        tone: 'bad',
        text: `${name} is reachable (${time}), and in trouble (${status}).`,
        advice: 'Look at its status page. Routes with a second target are served by that one meanwhile.',
      }
    case 'no_such_path':
      return {
        tone: 'bad',
        text: `Something answers at that address (${time}), with ${status}: it does not seem to be the API of ${name}.`,
        advice: `Look at ${address}: it ends in the version path, as /v1. Then restart the gateway.`,
      }
    case 'no_list':
      return {
        tone: 'warn',
        text: `${name} answered in ${time} (${status}), and not with a list of models.`,
        advice: `If requests fail as well, look at ${address}: it ends in the version path, as /v1.`,
      }
    case 'timeout':
      return {
        tone: 'bad',
        text: `${name} did not answer in ${time}.`,
        advice: `Look at the network and its firewall, and at ${address}.`,
      }
    case 'cut':
      return {
        tone: 'bad',
        text: `${name} broke its answer off.`,
        advice: 'Try again. If it stays so, something between here and the provider closes connections.',
      }
    case 'unreachable':
      return {
        tone: 'bad',
        text: `${name} cannot be reached${networkReason(networkCode)}.`,
        advice: `Look at the network, its firewall, and at ${address}.`,
      }
  }
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens at that address',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not trusted here',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  UND_ERR_CONNECT_TIMEOUT: 'no connection was made in time',
}

const networkReason = (code: string | null) => (code === null ? '' : `: ${REASONS[code] ?? code}`)
