import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatUsd } from '../../../src/money.ts'
import {
  compare,
  isDrift,
  type LedgerSums,
  type Line,
  percentApart,
  totalsOf,
} from '../../../src/usage/reconcile/compare.ts'
import { DAY_MS, type Export, type ExportRow, MEASURES, type Measure } from '../../../src/usage/reconcile/export.ts'
import { readExport } from '../../../src/usage/reconcile/read-export.ts'
import { timeNotes } from '../../../src/usage/reconcile/time-notes.ts'

const DAY = '2026-11-20'
const NEXT = '2026-11-21'

function anExport(rows: ExportRow[], fields: Partial<Export> = {}): Export {
  const [from, to] = [Date.parse(DAY), Date.parse(NEXT) + DAY_MS]
  return {
    format: 'CSV',
    provider: null,
    from,
    to,
    days: new Set([DAY, NEXT]),
    rows,
    kinds: null,
    notes: [],
    ...fields,
  }
}

const ours = (fields: Partial<LedgerSums> = {}): LedgerSums => ({
  day: DAY,
  model: 'gpt-4o',
  endpoint: '/v1/chat/completions',
  requests: 0,
  inputTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  costNanoUsd: 0n,
  unpricedRequests: 0,
  estimatedRequests: 0,
  ...fields,
})

/** `day model measure ours theirs` of each line. */
const linesOf = (theirs: Export, ledger: LedgerSums[]) =>
  compare(theirs, ledger, 'openai').lines.map((line) => [line.day, line.model, line.measure, line.ours, line.theirs])

describe('a comparison', () => {
  it('adds the rows of a day and model up on both sides', () => {
    const rows = [
      { day: DAY, model: 'gpt-4o', requests: 2, inputTokens: 10 },
      { day: DAY, model: 'gpt-4o', requests: 3 },
      { day: NEXT, model: 'gpt-4o', requests: 1 },
    ]
    const ledger = [
      ours({ requests: 4 }),
      ours({ requests: 1, inputTokens: 9, endpoint: '/v1/responses' }),
      ours({ day: NEXT, requests: 1 }),
    ]
    expect(linesOf(anExport(rows), ledger)).toEqual([
      [DAY, 'gpt-4o', 'requests', 5n, 5n],
      [DAY, 'gpt-4o', 'inputTokens', 9n, 10n],
      [NEXT, 'gpt-4o', 'requests', 1n, 1n],
    ])
  })

  it('has what only one side has', () => {
    const theirs = anExport([
      { day: DAY, model: 'theirs-alone', requests: 2 },
      { day: DAY, model: 'gpt-4o', requests: 1 },
    ])
    const ledger = [ours({ requests: 1 }), ours({ model: 'ours-alone', requests: 3 }), ours({ day: NEXT, requests: 4 })]
    expect(linesOf(theirs, ledger)).toEqual([
      [DAY, 'gpt-4o', 'requests', 1n, 1n],
      [DAY, 'ours-alone', 'requests', 3n, 0n],
      [DAY, 'theirs-alone', 'requests', 0n, 2n],
      [NEXT, 'gpt-4o', 'requests', 4n, 0n],
    ])
  })

  it('leaves out what the export does not tell, at all or of a model', () => {
    const theirs = anExport([
      { day: DAY, model: 'gpt-4o', requests: 1, inputTokens: 5 },
      { day: DAY, model: 'gpt-image-1', requests: 1 },
    ])
    const ledger = [
      ours({ requests: 1, inputTokens: 5, outputTokens: 7, costNanoUsd: 9n }),
      ours({ model: 'gpt-image-1', requests: 1, inputTokens: 100 }),
    ]
    expect(linesOf(theirs, ledger)).toEqual([
      [DAY, 'gpt-4o', 'requests', 1n, 1n],
      [DAY, 'gpt-4o', 'inputTokens', 5n, 5n],
      [DAY, 'gpt-image-1', 'requests', 1n, 1n],
    ])
  })

  it('is by day where the export does not tell models apart, each figure by itself', () => {
    const theirs = anExport([
      { day: DAY, model: null, costNanoUsd: 10n },
      { day: DAY, model: 'gpt-4o', requests: 1 },
    ])
    const { lines } = compare(
      theirs,
      [
        ours({ requests: 1, costNanoUsd: 4n }),
        ours({ model: 'o3', costNanoUsd: 6n }),
        ours({ model: null, day: NEXT, costNanoUsd: 1n }),
      ],
      'openai',
    )
    expect(lines).toMatchObject([
      { day: DAY, model: null, allModels: true, measure: 'costNanoUsd', ours: 10n, theirs: 10n, ourModels: [] },
      { day: DAY, model: 'gpt-4o', allModels: false, measure: 'requests', ours: 1n, theirs: 1n },
      { day: NEXT, model: null, measure: 'costNanoUsd', ours: 1n, theirs: 0n },
    ])
  })

  it('by day takes for nothing what a day does not tell', () => {
    const theirs = anExport([
      { day: DAY, model: null, requests: 1, inputTokens: 5 },
      { day: NEXT, model: null, requests: 1 },
    ])
    const ledger = [ours({ requests: 1, inputTokens: 5 }), ours({ day: NEXT, requests: 1, inputTokens: 6 })]
    expect(linesOf(theirs, ledger)).toContainEqual([NEXT, null, 'inputTokens', 6n, 0n])
  })

  it('puts what has no model on either side beside each other, and not with a model', () => {
    const theirs = anExport([
      { day: DAY, model: 'gpt-4o', costNanoUsd: 5n },
      { day: DAY, model: null, costNanoUsd: 2n },
    ])
    expect(linesOf(theirs, [ours({ costNanoUsd: 5n }), ours({ model: null, costNanoUsd: 1n })])).toEqual([
      [DAY, null, 'costNanoUsd', 1n, 2n],
      [DAY, 'gpt-4o', 'costNanoUsd', 5n, 5n],
    ])
  })

  it('takes the dated name of the provider for the alias that was asked for, and says which names it took for one', () => {
    const theirs = anExport([{ day: DAY, model: 'gpt-4o-2024-08-06', requests: 3 }])
    const { lines } = compare(theirs, [ours({ requests: 1 }), ours({ model: 'openai:gpt-4o', requests: 2 })], 'openai')
    expect(lines).toMatchObject([
      {
        model: 'gpt-4o',
        ours: 3n,
        theirs: 3n,
        ourModels: ['gpt-4o', 'openai:gpt-4o'],
        theirModels: ['gpt-4o-2024-08-06'],
      },
    ])
  })

  it('with an export of completions leaves other endpoints alone, but for the models that it names', () => {
    const theirs = anExport(
      [
        { day: DAY, model: 'gpt-4o', requests: 1 },
        { day: DAY, model: 'gpt-image-1', requests: 1 },
      ],
      { kinds: new Set(['completions']) },
    )
    const ledger = [
      ours({ requests: 1 }),
      ours({ model: 'text-embedding-3-small', endpoint: '/v1/embeddings', requests: 7 }),
      ours({ model: 'omni-moderation-latest', endpoint: '/v1/moderations', requests: 7 }),
      ours({ model: 'whisper-1', endpoint: '/v1/audio/transcriptions', requests: 7 }),
      ours({ model: 'tts-1', endpoint: '/v1/audio/speech', requests: 7 }),
      ours({ model: 'gpt-image-1', endpoint: '/v1/images/edits', requests: 1 }),
      ours({ model: 'dall-e-3', endpoint: '/v1/images/generations', requests: 7 }),
      ours({ model: 'gpt-realtime', endpoint: '/v1/realtime', requests: 2 }),
    ]
    expect(linesOf(theirs, ledger)).toEqual([
      [DAY, 'gpt-4o', 'requests', 1n, 1n],
      [DAY, 'gpt-image-1', 'requests', 1n, 1n],
      [DAY, 'gpt-realtime', 'requests', 2n, 0n],
    ])
    const embeddings = anExport([{ day: DAY, model: 'text-embedding-3-small', requests: 7 }], {
      kinds: new Set(['embeddings']),
    })
    expect(linesOf(embeddings, ledger)).toEqual([[DAY, 'text-embedding-3-small', 'requests', 7n, 7n]])
  })

  it('counts what is uncertain on our side, where it is compared', () => {
    const theirs = anExport([{ day: DAY, model: 'gpt-4o', costNanoUsd: 1n }], { kinds: new Set(['completions']) })
    const ledger = [
      ours({ unpricedRequests: 2, estimatedRequests: 3 }),
      ours({ endpoint: '/v1/embeddings', model: 'e', unpricedRequests: 50, estimatedRequests: 50 }),
    ]
    expect(compare(theirs, ledger, 'openai')).toMatchObject({ unpricedRequests: 2, estimatedRequests: 3 })
  })
})

describe('a difference', () => {
  const line = (our: bigint, their: bigint, rounding = 0n) => ({ ours: our, theirs: their, rounding })

  it('is drift when it is more than the tolerance, in percent of theirs', () => {
    expect(isDrift(line(1005n, 1000n), 0.5)).toBe(false)
    expect(isDrift(line(1006n, 1000n), 0.5)).toBe(true)
    expect(isDrift(line(994n, 1000n), 0.5)).toBe(true)
    expect(isDrift(line(1001n, 1000n), 0)).toBe(true)
    expect(isDrift(line(1000n, 1000n), 0)).toBe(false)
    expect(isDrift(line(-1006n, -1000n), 0.5)).toBe(true)
    expect(isDrift(line(10n ** 30n + 1n, 10n ** 30n), 0)).toBe(true)
  })

  it('is drift, whatever the tolerance, where theirs has nothing', () => {
    expect(isDrift(line(1n, 0n), 100)).toBe(true)
    expect(percentApart(line(1n, 0n))).toBeNull()
  })

  it('is none where rounding to cents explains it', () => {
    expect(isDrift(line(134_999_999n, 130_000_000n, 5_000_000n), 0)).toBe(false)
    expect(isDrift(line(135_000_001n, 130_000_000n, 5_000_000n), 0)).toBe(true)
    expect(isDrift(line(4_000_000n, 0n, 5_000_000n), 0)).toBe(false)
  })

  it('is told in percent of theirs', () => {
    expect(percentApart(line(5n, 4n))).toBe(25)
    expect(percentApart(line(2n, 3n))).toBe(-33.33)
    expect(percentApart(line(-5n, -4n))).toBe(-25)
  })
})

describe('an export made of the ledger itself', () => {
  const count = fc.integer({ min: 0, max: 5_000_000 })
  const sums = fc.record({
    day: fc.constantFrom(DAY, NEXT, '2026-11-22'),
    model: fc.constantFrom('gpt-4o', 'openai:gpt-4o', 'gpt-4o-mini', 'o3, "high"', 'claude;4\nx'),
    endpoint: fc.constantFrom('/v1/chat/completions', '/v1/embeddings'),
    requests: count,
    inputTokens: count,
    cachedTokens: count,
    cacheWriteTokens: count,
    outputTokens: count,
    costNanoUsd: fc.bigInt(0n, 10n ** 13n),
  })
  const ledgers = fc.array(
    sums.map((fields) => ours(fields)),
    { minLength: 1, maxLength: 12 },
  )

  type Figures = Record<Measure, bigint>
  /** By day and model, as a provider would count. */
  function figuresOf(ledger: LedgerSums[]): Map<string, Figures> {
    const groups = new Map<string, Figures>()
    for (const row of ledger) {
      const key = JSON.stringify([row.day, row.model!.replace('openai:', '')])
      const group = groups.get(key) ?? (Object.fromEntries(MEASURES.map((measure) => [measure, 0n])) as Figures)
      groups.set(key, group)
      for (const measure of MEASURES) group[measure] += BigInt(row[measure]!)
    }
    return groups
  }

  const TITLES = 'date,model,requests,input_tokens,cached_tokens,cache_write_tokens,output_tokens,cost_usd'
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
  /** Nine decimals: a figure that was not rounded to cents. */
  const dollars = (nano: bigint) =>
    formatUsd(nano).includes('.') ? formatUsd(nano).padEnd(30, '0') : `${formatUsd(nano)}.000`

  function toCsv(groups: Map<string, Figures>): Export {
    const lines = Array.from(groups, ([key, figures]) => {
      const [day, model] = JSON.parse(key) as [string, string]
      const cells = MEASURES.map((measure) =>
        measure === 'costNanoUsd' ? dollars(figures[measure]) : String(figures[measure]),
      )
      return [day, quote(model), ...cells].join(',')
    })
    return readExport(Buffer.from([TITLES, ...lines].join('\r\n')))[0]!
  }

  const drifts = (theirs: Export, ledger: LedgerSums[]): Line[] =>
    compare(theirs, ledger, 'openai').lines.filter((line) => isDrift(line, 0))

  it('shows no drift', () => {
    fc.assert(
      fc.property(ledgers, (ledger) => {
        expect(drifts(toCsv(figuresOf(ledger)), ledger)).toEqual([])
      }),
    )
  })

  it('and then changed in one figure shows that figure, and no other', () => {
    fc.assert(
      fc.property(
        ledgers,
        fc.nat(),
        fc.constantFrom(...MEASURES),
        fc.bigInt(1n, 10n ** 9n),
        (ledger, at, measure, more) => {
          const groups = figuresOf(ledger)
          const key = [...groups.keys()][at % groups.size]!
          const before = groups.get(key)![measure]
          groups.get(key)![measure] += more
          const [day, model] = JSON.parse(key) as [string, string]
          expect(drifts(toCsv(groups), ledger)).toMatchObject([
            { day, model: model.toLowerCase(), measure, ours: before, theirs: before + more },
          ])
        },
      ),
    )
  })

  it('and then short of a line shows all that this line had, and no more', () => {
    fc.assert(
      fc.property(ledgers, fc.nat(), (ledger, at) => {
        const groups = figuresOf(ledger)
        fc.pre(groups.size > 1)
        const key = [...groups.keys()][at % groups.size]!
        const gone = groups.get(key)!
        groups.delete(key)
        const [day, model] = JSON.parse(key) as [string, string]
        const expected = MEASURES.filter((measure) => gone[measure] > 0n).map((measure) => [
          day,
          model,
          measure,
          gone[measure],
          0n,
        ])
        const found = drifts(toCsv(groups), ledger)
        expect(found.map((line) => [line.day, line.model, line.measure, line.ours, line.theirs])).toEqual(expected)
      }),
    )
  })

  it('has the same totals on both sides', () => {
    fc.assert(
      fc.property(ledgers, (ledger) => {
        for (const { ours: our, theirs } of totalsOf(compare(toCsv(figuresOf(ledger)), ledger, 'openai').lines))
          expect(our).toBe(theirs)
      }),
    )
  })
})

describe('what should be known of the time of an export', () => {
  const noon = Date.parse(`${NEXT}T12:00:00Z`)
  const longAfter = noon + 10 * DAY_MS

  it('is nothing, when whole days are over and none is missing', () => {
    expect(timeNotes(anExport([]), longAfter)).toEqual([])
  })

  it('is where it begins and ends, when days are covered in part', () => {
    const part = anExport([], { from: Date.parse(`${DAY}T10:14:23Z`), to: noon })
    expect(timeNotes(part, longAfter)).toEqual([
      '2026-11-20 is compared from 10:14:23 UTC on, where the export begins.',
      '2026-11-21 is compared until 12:00:00 UTC, where the export ends.',
    ])
  })

  it('is that the day is not over', () => {
    expect(timeNotes(anExport([]), noon)).toEqual([expect.stringMatching(/^2026-11-21 is not over/)])
    expect(timeNotes(anExport([]), noon - 30 * DAY_MS)).toEqual([expect.stringMatching(/^2026-11-20 is not over/)])
  })

  it('is which days are not in it', () => {
    const gap = anExport([], { from: Date.parse('2026-11-13'), days: new Set(['2026-11-13', NEXT]) })
    expect(timeNotes(gap, longAfter)).toEqual([
      'The export says nothing of 2026-11-14, 2026-11-15, 2026-11-16, 2026-11-17, 2026-11-18 and 2 more: that counts as nothing used.',
    ])
  })
})
