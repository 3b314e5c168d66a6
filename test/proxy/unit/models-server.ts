import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toGatewayError } from '../../../src/errors.ts'
import { type HttpExchange, newExchange } from '../../../src/proxy/exchange.ts'
import { modelsHandler } from '../../../src/proxy/models.ts'
import { choiceOf, plan } from '../../../src/proxy/plan.ts'
import type { MODEL_SHAPES } from '../../../src/proxy/present-models.ts'
import { sendError } from '../../../src/proxy/respond.ts'
import { settle } from '../../../src/proxy/settle.ts'
import type { TestGateway } from '../../helpers/gateway.ts'

/** The models of a gateway at an address of their own, without what comes before them on the way of a request. */
export async function serveModels({ ctx }: TestGateway, shape?: keyof typeof MODEL_SHAPES) {
  const models = modelsHandler(ctx)
  const server = createServer(async (req, res) => {
    const exchange = newExchange({ now: ctx.now, patienceMs: 1_000 }, req, res) as HttpExchange
    ctx.life.unsettled++
    res.once('close', () => {
      exchange.clientGone = !res.writableFinished
    })
    try {
      exchange.caller = await ctx.tokens.find(req.headers.authorization!.slice('Bearer '.length))
      await models(exchange, plan(choiceOf(ctx), exchange.caller!, null), shape)
    } catch (thrown) {
      const error = toGatewayError(thrown)
      settle(ctx, exchange, { status: error.status, answered: false, error: error.code, cause: error.cause }, () =>
        sendError(exchange, error),
      )
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
