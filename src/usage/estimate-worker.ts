import { parentPort } from 'node:worker_threads'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { EstimateReply, EstimateRequest } from './estimate.ts'
import { requestText } from './generated-text.ts'

/** Past this size the rest is counted in proportion. */
const COUNTED = 200_000
/** Byte-pair encoding is quadratic in runs without a break, so text is counted in slices: no input can hold the others up. */
const SLICE = 500

/** What looks like a special token is a text like any other. */
const AS_TEXT = { disallowedSpecial: new Set<string>() }

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
  const counted = Math.min(text.length, COUNTED)
  let tokens = 0
  for (let from = 0; from < counted; from += SLICE)
    tokens += countTokens(text.slice(from, Math.min(from + SLICE, counted)), AS_TEXT)
  return counted === text.length ? tokens : Math.ceil((tokens * text.length) / counted)
}
