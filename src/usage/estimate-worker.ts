import { parentPort } from 'node:worker_threads'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { EstimateReply, EstimateRequest } from './estimate.ts'
import { requestText } from './generated-text.ts'

/** Tokenising a run without spaces is quadratic in most encoders; past this size the rest is counted in proportion. */
const COUNTED = 200_000

parentPort!.on('message', ({ id, requestBody, generated }: EstimateRequest) => {
  const reply: EstimateReply = { id, inputTokens: count(readRequest(requestBody)), outputTokens: count(generated) }
  parentPort!.postMessage(reply)
})

function readRequest(body: Uint8Array): string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    return typeof parsed === 'object' && parsed !== null ? requestText(parsed as Record<string, unknown>) : ''
  } catch {
    return ''
  }
}

function count(text: string): number {
  if (text.length <= COUNTED) return countTokens(text)
  return Math.ceil((countTokens(text.slice(0, COUNTED)) * text.length) / COUNTED)
}
