import { formatUsd } from '../money.ts'
import type { HttpExchange } from './exchange.ts'

export const COST_HEADER = 'x-llm-proxy-cost-usd'

/** The client asks to be told what the request cost. */
export const wantsCost = ({ req }: HttpExchange) => req.headers['x-llm-proxy-include-cost'] === 'true'

/** Of a settled exchange. */
export const costText = ({ costNanoUsd }: HttpExchange) => (costNanoUsd === null ? 'unpriced' : formatUsd(costNanoUsd))
