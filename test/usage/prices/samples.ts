import type { PriceConfig } from '../../../src/config/config.ts'
import type { Usage } from '../../../src/store/store.ts'
import { createPrices } from '../../../src/usage/prices/prices.ts'
import { NO_USAGE } from '../../../src/usage/read-usage.ts'

export const NOON = Date.UTC(2026, 10, 21, 12)

export const pricesOf = (config: Partial<PriceConfig> = {}) => createPrices({ discounts: {}, models: [], ...config })

export const usageOf = (fields: Partial<Usage>): Usage => ({ ...NO_USAGE, source: 'reported', ...fields })
