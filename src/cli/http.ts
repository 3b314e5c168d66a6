import { usageError } from './failure.ts'

/** The address of a gateway as people write it, also with `/v1`: an origin and a path, without a slash at its end. Throws `CliError`. */
export function parseGatewayUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw usageError('--url must be the address of a gateway, as http://127.0.0.1:8080.')
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '')
}

export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

/** Throws `CliError` for what no header can carry; `fetch` would say so too, and quote it. */
export function requireHeaderText(secret: string, what: string): void {
  if (!/^[\x21-\x7e]+$/.test(secret))
    throw usageError(`${what} must not contain white space or characters outside ASCII.`)
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
export function reasonOf(error: unknown, isCause = false): string {
  const { name, code, cause, errors, message } = Object(error) as Error & { code?: unknown; errors?: unknown[] }
  if (name === 'TimeoutError') return 'no answer in time'
  if (typeof code === 'string' && code !== '') return REASONS[code] ?? describeCode(code)
  const deeper = errors?.[0] ?? cause
  if (deeper) return reasonOf(deeper, true)
  // The words of `fetch` itself may quote a header.
  return isCause && message ? message : 'the request could not be made'
}

const describeCode = (code: string) => (/CERT|SIGNED/.test(code) ? `its certificate is not trusted (${code})` : code)
