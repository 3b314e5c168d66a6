import { FieldScanner } from '../formats/json-fields.ts'
import type { Usage } from '../store/store.ts'
import { readUsage } from './read-usage.ts'

/** A `usage` object or model name is never longer. */
const MAX_FIELD = 16 * 1024

/** What they are called in OpenAI's and Anthropic's answers, and in Gemini's. */
const FIELDS: Record<string, 'usage' | 'model'> = {
  usage: 'usage',
  model: 'model',
  usageMetadata: 'usage',
  modelVersion: 'model',
}

export type FieldScan = {
  push(piece: Buffer): void
  result(): { usage: Usage | null; servedModel: string | null }
}

/**
 * Reads usage and model from a large JSON object as it passes, in constant memory: keeps the last `MAX_FIELD` bytes, so that a
 * wanted field is still there when the scanner reports its end. What stands before the object (`data: `) is passed over.
 */
export function createFieldScan(): FieldScan {
  let tail = Buffer.alloc(0)
  let tailStart = 0
  const found: Record<string, unknown> = {}
  const scanner = new FieldScanner(({ key, valueStart, valueEnd }) => {
    const field = FIELDS[key]
    if (field === undefined || valueStart < tailStart) return
    try {
      found[field] = JSON.parse(tail.subarray(valueStart - tailStart, valueEnd - tailStart).toString('utf8'))
    } catch {
      // The provider did not send JSON: nothing was reported.
    }
  })
  return {
    push(piece: Buffer) {
      const keep = tail.subarray(Math.max(0, tail.length - MAX_FIELD))
      tailStart += tail.length - keep.length
      tail = Buffer.concat([keep, piece])
      scanner.push(piece)
    },
    result: () => ({
      usage: readUsage(found.usage),
      servedModel: typeof found.model === 'string' ? found.model : null,
    }),
  }
}
