import type { RequestHandler } from 'express'
import helmet from 'helmet'

/** Everything a page uses comes from here, and nothing of it is inline: no script, no style. */
export function securityHeaders(): RequestHandler {
  const secure = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // With `no-referrer` browsers leave out where a form comes from, too.
    referrerPolicy: { policy: 'same-origin' },
    // Behind TLS alone, and what stands there is the operator's to say.
    strictTransportSecurity: false,
  })
  return (req, res, next) => {
    res.set('cache-control', 'no-store')
    secure(req, res, next)
  }
}
