/**
 * What an answer to a provider's probe means. `no_such_path`: something answers there, and it is not this provider's API.
 */
export type ProbeVerdict = 'ok' | 'refused' | 'limited' | 'in_trouble' | 'no_such_path'

/** `body`: its beginning. Google says 400 to a key that it does not know. */
export function judgeProbe(status: number, body: string): ProbeVerdict {
  if (status >= 200 && status < 300) return 'ok'
  if (status === 401 || status === 403 || (status === 400 && /api.?key/i.test(body))) return 'refused'
  if (status === 429) return 'limited'
  return status >= 500 ? 'in_trouble' : 'no_such_path'
}
