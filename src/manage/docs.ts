import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Router } from 'express'

/** `/docs`: a readable page of the OpenAPI document. Everything on it comes from here. */
export function createDocsRouter(): Router {
  const router = Router({ caseSensitive: true })
  router.use((_req, res, next) => {
    res.set(HEADERS)
    next()
  })
  router.get('/', (_req, res) => void res.type('html').send(PAGE))
  router.get('/start.js', (_req, res) => void res.type('js').send(START))
  for (const file of FILES) {
    router.get(`/${file}`, (_req, res) => res.sendFile(file, { root: viewerFolder, maxAge: '1h' }))
  }
  return router
}

const viewerFolder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']

const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>LLM Proxy management API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<main id="api"><noscript>This page needs JavaScript; <a href="/manage/openapi.json">the document itself</a> does not.</noscript></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

// Without `validatorUrl: null` the viewer shows a badge from validator.swagger.io.
const START = `SwaggerUIBundle({
  url: '/manage/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
})
`
