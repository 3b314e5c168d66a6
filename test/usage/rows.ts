import type { LedgerRow } from '../../src/store/store.ts'
import { NO_USAGE } from '../../src/usage/read-usage.ts'

/** A ledger row with that request id. */
export const row = (requestId: string): LedgerRow => ({
  requestId,
  at: 1,
  tokenId: 'tok_1',
  projectId: 'proj_1',
  method: 'POST',
  endpoint: '/v1/chat/completions',
  model: 'gpt-4o',
  provider: 'openai',
  servedModel: null,
  attempts: [],
  status: 200,
  stream: false,
  latencyMs: 1,
  firstTokenMs: null,
  usage: NO_USAGE,
  estimateReason: null,
  costNanoUsd: null,
  priceSource: null,
  reservedNanoUsd: null,
  cache: 'bypass',
  error: null,
  changes: [],
  requestBytes: 0,
  responseBytes: 0,
})
