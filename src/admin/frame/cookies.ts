import type { Request, Response } from 'express'

export type CookieName = 'session' | 'visitor' | 'notice' | 'theme' | 'oidc'

type Options = {
  maxAgeMs?: number
  /** Lax: it comes back with the visitor from another site, which single sign-on needs. */
  sameSite?: 'strict' | 'lax'
}

/** Null: there is none, or one that cannot be read. */
export function readCookie(req: Request, name: CookieName): string | null {
  const wanted = fullName(req, name)
  for (const pair of (req.headers.cookie ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at !== -1 && pair.slice(0, at).trim() === wanted) return decode(pair.slice(at + 1).trim())
  }
  return null
}

/** HttpOnly, of this host alone, and behind TLS only ever sent there. */
export function setCookie(req: Request, res: Response, name: CookieName, value: string, options: Options = {}): void {
  const { maxAgeMs, sameSite = 'strict' } = options
  res.cookie(fullName(req, name), value, {
    httpOnly: true,
    sameSite,
    secure: req.secure,
    path: '/',
    ...(maxAgeMs !== undefined && { maxAge: maxAgeMs }),
  })
}

export function clearCookie(req: Request, res: Response, name: CookieName): void {
  setCookie(req, res, name, '', { maxAgeMs: 0 })
}

/** With this prefix browsers take a cookie from nobody but this very host, over TLS. */
const fullName = (req: Request, name: CookieName) => `${req.secure ? '__Host-' : ''}llm_proxy_${name}`

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
