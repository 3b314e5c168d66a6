import { CliError } from './failure.ts'

/** The address of a gateway as people write it, also with `/v1`: an origin and a path, without a slash at its end. Throws `CliError`. */
export function parseGatewayUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new CliError('--url must be the address of a gateway, as http://127.0.0.1:8080.', 2)
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '')
}

export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name could not be looked up',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this network',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  ETIMEDOUT: 'no answer in time',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak HTTPS',
}

/** Why `fetch` failed, in a few words: it hides the reason in `cause`, or in the errors of all addresses of a name. */
export function reasonOf(error: unknown): string {
  const { name, code, cause, errors, message } = Object(error) as Error & { code?: unknown; errors?: unknown[] }
  if (name === 'TimeoutError') return 'no answer in time'
  if (typeof code === 'string' && code !== '')
    return REASONS[code] ?? (/CERT|SIGNED/.test(code) ? `its certificate is not trusted (${code})` : code)
  if (cause) return reasonOf(cause)
  return errors?.[0] ? reasonOf(errors[0]) : message || 'unknown reason'
}
