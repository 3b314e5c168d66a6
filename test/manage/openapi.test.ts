import { describe, expect, it } from '@jest/globals'
import { given } from './given.ts'

type Operation = {
  operationId: string
  parameters: { name: string; in: string; required?: boolean; schema: object }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}
type Document = {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

async function document() {
  const { call } = await given()
  const { status, body } = await call('GET', '/manage/openapi.json', { token: null })
  expect(status).toBe(200)
  return body as unknown as Document
}

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

describe('/manage/openapi.json', () => {
  it('has every operation of the management API, and no other', async () => {
    expect(
      operationsOf(await document())
        .map(({ path, method }) => `${method.toUpperCase()} ${path}`)
        .sort(),
    ).toEqual([
      'DELETE /manage/admin-sessions/{id}',
      'DELETE /manage/admin-users/{id}',
      'DELETE /manage/projects/{id}',
      'DELETE /manage/projects/{id}/provider-keys/{key_id}',
      'DELETE /manage/routes/{id}',
      'DELETE /manage/tokens/{id}',
      'GET /manage/admin-sessions',
      'GET /manage/admin-users',
      'GET /manage/admin-users/{id}',
      'GET /manage/alerts',
      'GET /manage/audit',
      'GET /manage/budgets',
      'GET /manage/prices',
      'GET /manage/projects',
      'GET /manage/projects/{id}',
      'GET /manage/requests',
      'GET /manage/requests/{id}',
      'GET /manage/requests/{id}/bodies',
      'GET /manage/routes',
      'GET /manage/routes/{id}',
      'GET /manage/status',
      'GET /manage/tokens',
      'GET /manage/tokens/{id}',
      'GET /manage/usage',
      'PATCH /manage/admin-users/{id}',
      'PATCH /manage/projects/{id}',
      'PATCH /manage/projects/{id}/provider-keys/{key_id}',
      'PATCH /manage/routes/{id}',
      'PATCH /manage/tokens/{id}',
      'POST /manage/admin-users',
      'POST /manage/explain',
      'POST /manage/prices/reprice',
      'POST /manage/projects',
      'POST /manage/projects/{id}/provider-keys',
      'POST /manage/projects/{id}/provider-keys/{key_id}/replace',
      'POST /manage/projects/{id}/tokens/revoke',
      'POST /manage/reload',
      'POST /manage/routes',
      'POST /manage/tokens',
      'POST /manage/tokens/{id}/revoke',
    ])
  })

  it('names operations that the gateway really answers', async () => {
    const { call, get } = await given()
    const { body } = await get('/manage/openapi.json')
    for (const { path, method } of operationsOf(body as unknown as Document)) {
      const { status, body: answer } = await call(method.toUpperCase(), path.replace(/\{\w+\}/g, 'none_1'))
      expect(status).not.toBe(405)
      // An unknown id is "There is no such …"; an unknown place is not.
      expect(JSON.stringify(answer)).not.toContain('Unknown request URL')
    }
  })

  it('is OpenAPI 3.1: unique names, declared parameters, references that lead somewhere', async () => {
    const whole = await document()
    expect(whole.openapi).toMatch(/^3\.1\.\d$/)
    expect(whole.info).toMatchObject({ title: expect.any(String), version: expect.any(String) })
    const operations = operationsOf(whole)
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length)
    for (const { path, operation } of operations) {
      const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name)
      const declared = operation.parameters.filter((parameter) => parameter.in === 'path')
      expect(declared.map(({ name, required }) => [name, required])).toEqual(inPath.map((name) => [name, true]))
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401']))
      for (const response of Object.values(operation.responses))
        expect(response.description).toEqual(expect.any(String))
    }
    const text = JSON.stringify(whole)
    const references = Array.from(text.matchAll(/"\$ref":"([^"]+)"/g), ([, to]) => to!)
    expect(references.length).toBeGreaterThan(20)
    for (const to of references) {
      expect(to.startsWith('#/components/schemas/')).toBe(true)
      expect(whole.components.schemas).toHaveProperty([to.split('/').at(-1)!])
    }
    expect(text).not.toContain('$defs')
  })

  it('describes bodies as they are read and answers as they are given', async () => {
    const { project, token, get } = await given()
    const { paths, components } = (await get('/manage/openapi.json')).body as unknown as Document
    const body = paths['/manage/tokens']!.post!.requestBody!.content['application/json']!.schema
    expect(body).toMatchObject({ type: 'object', required: ['project_id'], additionalProperties: false })
    const { project_id, ...rest } = await token()
    expect(Object.keys((components.schemas.CreatedToken as { properties: object }).properties).sort()).toEqual(
      Object.keys({ project_id, ...rest }).sort(),
    )
    expect(Object.keys((components.schemas.Project as { properties: object }).properties).sort()).toEqual(
      Object.keys(await project()).sort(),
    )
  })
})

describe('/docs', () => {
  it('is a page on which everything comes from the gateway itself', async () => {
    const { call, gateway } = await given()
    const page = await call('GET', '/docs', { token: null })
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = page.headers.get('content-security-policy')!
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(page.text).not.toMatch(/https?:\/\/|<script(?! src="\/docs\/)/)
    const links = Array.from(page.text.matchAll(/(?:src|href)="([^"]+)"/g), ([, to]) => to!)
    expect(links).toContain('/docs/swagger-ui-bundle.js')
    for (const link of links) expect((await fetch(gateway.url + link)).status).toBe(200)
    const start = await call('GET', '/docs/start.js', { token: null })
    expect(start.text).toContain('validatorUrl: null')
    expect(start.text).not.toMatch(/https?:\/\//)
  })

  it('serves the viewer and nothing else', async () => {
    const { call } = await given()
    for (const path of ['/docs/package.json', '/docs/swagger-ui.js', '/docs/..%2fpackage.json', '/docs/index.html']) {
      expect((await call('GET', path)).status).toBe(404)
    }
  })
})
