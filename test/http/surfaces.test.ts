import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import supertest from 'supertest'
import { MANAGEMENT_TOKEN, startTestGateway, type TestGateway } from '../helpers/gateway.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway()
})
afterAll(() => gateway.stop())

describe('a person who looks around', () => {
  it('at the root or at /admin is led to the page of the API', async () => {
    await supertest(gateway.url).get('/').expect(302).expect('location', '/admin')
  })

  it('at a path that is not there reads an error in the format of all others', async () => {
    const { body } = await supertest(gateway.url).get('/nowhere').expect(404).expect('content-type', /json/)
    expect(body).toMatchObject({ error: { code: 'unknown_route', type: 'invalid_request_error', param: null } })
  })

  it('gets the metrics with the management token alone', async () => {
    for (const path of ['/metrics', '/api/metrics']) {
      await supertest(gateway.url).get(path).expect(401)
      const authorized = supertest(gateway.url).get(path).set('authorization', `Bearer ${MANAGEMENT_TOKEN}`)
      const { text } = await authorized.expect(200).expect('content-type', /text\/plain/)
      expect(text).toContain('llmproxy_requests_total')
    }
  })

  it('is not told what the server is built with', async () => {
    const { headers } = await supertest(gateway.url).get('/health').expect(200)
    expect(headers['x-powered-by']).toBeUndefined()
  })
})
