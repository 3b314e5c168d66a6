import { expect, it } from '@jest/globals'
import { startTestGateway } from '../helpers/gateway.ts'

it('the secret that signs alerts is masked wherever it is logged', async () => {
  const secret = 'onlyLettersThatSignAlerts'
  const webhook = { url: 'http://127.0.0.1:1/alerts', secret, format: 'json' } as const
  const gateway = await startTestGateway({ config: { alerts: { thresholds: [], spendFactor: 10, webhook } } })
  gateway.ctx.log.info(`told with ${secret}`, { cause: new Error(`signed with ${secret}`) })
  expect(gateway.logs()).toContain('told with')
  expect(gateway.logs()).not.toContain(secret)
  await gateway.stop()
})
