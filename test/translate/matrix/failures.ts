import { expect } from '@jest/globals'
import type { Bench } from './bench.ts'
import type { Mode, Raised } from './client.ts'
import { rowOf } from './play.ts'
import { MESSAGES } from './provider.ts'
import { type Failure, RETRY_AFTER } from './script.ts'

const ask = { messages: [{ role: 'user' as const, text: 'Hi' }] }

/** What a client is told, where the request was translated. Our own key is not the caller's affair. */
const STATUS: Record<Failure, number> = {
  bad_request: 400,
  wrong_key: 502,
  forbidden: 403,
  not_found: 404,
  too_long: 400,
  rate_limit: 429,
  server: 500,
  overloaded: 503,
}

export async function playFailure(bench: Bench, failure: Failure, mode: Mode): Promise<void> {
  const { kind, client, speaker, isTranslated } = bench
  const own = kind.speech.failure(failure, MESSAGES[failure]).status
  const status = isTranslated || failure === 'wrong_key' ? STATUS[failure] : own
  const raised = speaker.raised(await failed(bench, [{ failure }], mode))
  expect(raised).toMatchObject({ name: client.errorName(status), status })
  if (failure !== 'wrong_key')
    expect(raised.message).toMatch(failure === 'too_long' ? /too long|too_long|exceed/ : MESSAGES[failure])
  if (failure === 'rate_limit' && raised.retryAfter !== undefined && (isTranslated || kind.tellsRetryAfter))
    expect(raised.retryAfter).toBe(String(RETRY_AFTER))
  expect(await bench.rows(1)).toMatchObject([
    {
      provider: kind.name,
      status,
      error: failure === 'wrong_key' ? 'upstream_auth_failed' : 'upstream_error',
      costNanoUsd: 0n,
      attempts: [{ outcome: 'failed', status: own }],
    },
  ])
}

/** Of an answer that began well, and did not end. */
export async function playBreak(bench: Bench, breaks: 'cut' | 'error', mode: Mode): Promise<void> {
  const text = 'Once upon a time there was a gateway.'
  const raised = bench.speaker.raised(await failed(bench, [{ text, breaks }], mode))
  expectFailureOf(bench, raised, breaks, mode)
  const [row] = await bench.rows(1)
  expect(row).toMatchObject({
    provider: bench.kind.name,
    // What passes as it comes has begun with a 200.
    status: mode === 'whole' && bench.isTranslated ? 502 : 200,
    error: breaks === 'cut' ? 'upstream_cut' : 'upstream_error',
    // Something was written, and will be paid.
    ...(mode === 'streamed' && { usage: { source: expect.stringMatching(/estimated|reported/) } }),
  })
}

function expectFailureOf(
  { client, kind, isTranslated }: Bench,
  raised: Raised,
  breaks: 'cut' | 'error',
  mode: Mode,
): void {
  if (mode === 'whole' && isTranslated) expect(raised).toMatchObject({ name: client.errorName(502), status: 502 })
  // Mistral's way is not the one that OpenAI's SDK knows, which fails all the same.
  else if (breaks === 'error' && (isTranslated || kind.name !== 'mistral'))
    expect(raised.message).toContain('Overloaded')
}

export async function playRefusal(bench: Bench, mode: Mode): Promise<void> {
  const { kind } = bench
  const words = 'I will not do that.'
  const shown = await bench.converse(kind.model, [{ text: words, stop: 'refusal' }], ask, mode)
  expect(bench.provider.refused()).toEqual([])
  const finish = expect.stringMatching(bench.isTranslated ? kind.declines : /./)
  expect(shown).toMatchObject([{ finish, ...(kind.declinesInWords && { text: words }) }])
  expect(await bench.rows(1)).toMatchObject([rowOf(bench, kind.model, {}, mode)])
}

const PATIENCE_MS = 10_000

/** Before the first word where the answer comes whole, else in the middle of it. */
export async function playAbort(bench: Bench, mode: Mode): Promise<void> {
  const controller = new AbortController()
  const turn =
    mode === 'whole' ? ({ silent: true } as const) : ({ text: 'Once upon a time', breaks: 'silence' } as const)
  const asked = bench.provider.next()
  const hooks = { signal: controller.signal, onPiece: () => controller.abort() }
  const answered = bench.converse(bench.kind.model, [turn], ask, mode, hooks).then(
    () => null,
    (error: unknown) => error,
  )
  const { aborted } = await asked
  if (mode === 'whole') controller.abort()
  const stopped = await Promise.race([aborted.then(() => true), lateFor(PATIENCE_MS)])
  expect(stopped).toBe(true)
  await answered
  expect(await bench.rows(1)).toMatchObject([
    { provider: bench.kind.name, status: 499, error: 'client_closed', attempts: [{ outcome: 'cancelled' }] },
  ])
}

const lateFor = (ms: number) => new Promise<false>((resolve) => setTimeout(() => resolve(false), ms).unref())

async function failed(bench: Bench, turns: Parameters<Bench['converse']>[1], mode: Mode): Promise<unknown> {
  const shown = await bench.converse(bench.kind.model, turns, ask, mode).then(
    (all) => all,
    (error: unknown) => ({ error }),
  )
  if (Array.isArray(shown)) throw new Error(`It ended well, with ${JSON.stringify(shown)}.`)
  expect(bench.provider.refused()).toEqual([])
  return shown.error
}
