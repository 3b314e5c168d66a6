import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseCsv } from '../../../src/usage/reconcile/csv.ts'
import { parseDay } from '../../../src/usage/reconcile/days.ts'
import type { Export } from '../../../src/usage/reconcile/export.ts'
import { readExport } from '../../../src/usage/reconcile/read-export.ts'
import {
  ANTHROPIC_COSTS_CSV,
  ANTHROPIC_TOKENS_CSV,
  OPENAI_COSTS_CSV,
  OPENAI_USAGE_CSV,
} from '../../fixtures/exports.ts'

const read = (text: string, encoding: BufferEncoding = 'utf8'): Export => readExport(Buffer.from(text, encoding))[0]!
/** The first line below these titles. */
const row = (titles: string, cells: string) => read(`day,${titles}\n2026-11-20,${cells}`).rows[0]

describe('a table', () => {
  it('tells days, models, requests, tokens and costs', () => {
    const found = read(
      'date,model,requests,input_tokens,cached_tokens,cache_write_tokens,output_tokens,cost_usd\n2026-11-20,gpt-4o,1,2,3,4,5,0.123\n',
    )
    expect(found).toEqual({
      format: 'CSV',
      provider: null,
      from: Date.parse('2026-11-20'),
      to: Date.parse('2026-11-21'),
      days: new Set(['2026-11-20']),
      kinds: null,
      notes: [
        'Columns that were read: date, model, cost_usd, requests, input_tokens, cached_tokens, cache_write_tokens, output_tokens.',
      ],
      rows: [
        {
          day: '2026-11-20',
          model: 'gpt-4o',
          requests: 1,
          inputTokens: 2,
          cachedTokens: 3,
          cacheWriteTokens: 4,
          outputTokens: 5,
          costNanoUsd: 123_000_000n,
        },
      ],
    })
  })

  it('tells only what it has: an empty cell is not a nought', () => {
    expect(row('model,requests,input_tokens,cost', ',,7,')).toEqual({ day: '2026-11-20', model: null, inputTokens: 7 })
  })

  it.each([
    ['Day,Model Name,Num Requests,Prompt Tokens,Completion Tokens,Total Cost', 'x,1,2,3,4'],
    ['Usage Date,snapshot_id,n_requests,n_context_tokens_total,n_generated_tokens_total,amount', 'x,1,2,3,4'],
    ['startTime,modelId,requestCount,inputTokens,outputTokens,costUSD', 'x,1,2,3,4'],
    ['timestamp,"model",api_calls,tokens_prompt,tokens_completion,Spend (USD)', 'x,1,2,3,4'],
  ])('may call its columns %s', (titles, cells) => {
    expect(read(`${titles}\n2026-11-20,${cells}`).rows).toEqual([
      {
        day: '2026-11-20',
        model: 'x',
        requests: 1,
        inputTokens: 2,
        outputTokens: 3,
        costNanoUsd: 4_000_000_000n,
        roundingNanoUsd: 5_000_000n,
      },
    ])
  })

  it('leaves it open that whole cents were rounded, and takes finer amounts as they are', () => {
    expect(row('cost', '0.13')).toMatchObject({ costNanoUsd: 130_000_000n, roundingNanoUsd: 5_000_000n })
    expect(row('cost', '0.130')).not.toHaveProperty('roundingNanoUsd')
  })

  it.each([
    ['UTF-8 with a mark', `\ufeffday,requests\r\n2026-11-20,5\r\n`, 'utf8' as const],
    ['UTF-16 as spreadsheets save it', `\ufeffday\trequests\r\n2026-11-20\t5\r\n`, 'utf16le' as const],
    ['semicolons', 'day;requests;x\n2026-11-20;5;"a;b"\n', 'utf8' as const],
    ['bars', 'day|requests\n2026-11-20|5', 'utf8' as const],
    ['quotes, empty lines and spaces', '\n"day", requests \n\n"2026-11-20",5\n,\n\n', 'utf8' as const],
  ])('is read with %s', (_, text, encoding) => {
    expect(read(text, encoding).rows).toEqual([{ day: '2026-11-20', model: null, requests: 5 }])
  })

  it('with semicolons may have decimal commas, without them commas separate thousands', () => {
    expect(read('day;cost\n2026-11-20;1.234,567').rows[0]).toMatchObject({ costNanoUsd: 1_234_567_000_000n })
    expect(row('requests,cost', '"1,234","$1,234.567"')).toMatchObject({
      requests: 1234,
      costNanoUsd: 1_234_567_000_000n,
    })
  })

  it('covers every day between its first and its last line', () => {
    const { from, to, days } = read('day,requests\n2026-11-22,1\n2026-11-20,2\n')
    expect({ from, to }).toEqual({ from: Date.parse('2026-11-20'), to: Date.parse('2026-11-23') })
    expect([...days]).toEqual(['2026-11-22', '2026-11-20'])
  })
})

describe('a table of a provider', () => {
  it('Anthropic, tokens: what was cached stands beside the input there, and is part of it here', () => {
    const { rows, kinds } = read(ANTHROPIC_TOKENS_CSV)
    expect(kinds).toBeNull()
    expect(rows).toEqual([
      {
        day: '2026-11-20',
        model: 'claude-sonnet-4-5-20250929',
        inputTokens: 5230,
        cachedTokens: 4000,
        cacheWriteTokens: 230,
        outputTokens: 500,
      },
      {
        day: '2026-11-20',
        model: 'claude-sonnet-4-5-20250929',
        inputTokens: 1,
        cachedTokens: 0,
        cacheWriteTokens: 0,
        outputTokens: 2,
      },
      {
        day: '2026-11-21',
        model: 'claude-haiku-4-5-20251001',
        inputTokens: 7,
        cachedTokens: 0,
        cacheWriteTokens: 0,
        outputTokens: 8,
      },
    ])
  })

  it.each([
    ['input_tokens,cache_read_input_tokens,cache_creation_input_tokens', '10,200,3000', 3210, 3000],
    [
      'input_tokens,cache_creation_input_tokens,ephemeral_5m_input_tokens,ephemeral_1h_input_tokens',
      '10,3000,1000,2000',
      3010,
      3000,
    ],
    ['uncached_input_tokens,cached_tokens', '10,200', 210, undefined],
    ['prompt_tokens,cache_read_input_tokens,cache_creation_input_tokens', '3210,200,3000', 3210, 3000],
    ['input_tokens,cached_tokens,cache_write_tokens', '3210,200,3000', 3210, 3000],
    ['input_tokens,uncached_input_tokens,cache_read_input_tokens', '210,10,200', 210, undefined],
  ])('with the columns %s: the input is never counted twice, nor left out', (titles, cells, input, writes) => {
    const found = row(titles, cells)
    expect([found?.inputTokens, found?.cacheWriteTokens]).toEqual([input, writes])
  })

  it('Anthropic, costs: a line for each kind of token, in cents', () => {
    expect(read(ANTHROPIC_COSTS_CSV).rows).toEqual([
      { day: '2026-11-20', model: 'Claude Sonnet 4.5', costNanoUsd: 130_000_000n, roundingNanoUsd: 5_000_000n },
      { day: '2026-11-20', model: 'Claude Sonnet 4.5', costNanoUsd: 1_250_000_000n, roundingNanoUsd: 5_000_000n },
    ])
  })

  it('OpenAI, completions: about completions alone, also of a day without use', () => {
    const { rows, kinds, days } = read(OPENAI_USAGE_CSV)
    expect([...days]).toEqual(['2026-11-20', '2026-11-21'])
    expect(kinds).toEqual(new Set(['completions']))
    expect(rows).toEqual([
      {
        day: '2026-11-20',
        model: 'gpt-4o-2024-08-06',
        requests: 10,
        inputTokens: 59200,
        cachedTokens: 5760,
        outputTokens: 10646,
      },
    ])
  })

  it.each([
    ['start_time_iso,num_model_requests,input_tokens,model', ['embeddings', 'moderations']],
    ['start_time_iso,num_model_requests,images,model', ['images']],
    ['start_time_iso,num_model_requests,characters,model', ['audio_speeches']],
    ['start_time_iso,num_model_requests,seconds,model', ['audio_transcriptions']],
  ])('OpenAI, %s: about %j alone', (titles, kinds) => {
    expect([...read(`${titles}\n2026-11-20,1,2,m`).kinds!]).toEqual(kinds)
  })

  it('OpenAI, costs: lines of the bill belong to their model', () => {
    expect(read(OPENAI_COSTS_CSV).rows).toEqual([
      { day: '2026-11-20', model: 'gpt-4o-2024-08-06', costNanoUsd: 895_874_000n },
      { day: '2026-11-20', model: 'gpt-4o-2024-08-06', costNanoUsd: 10_000_000n },
      {
        day: '2026-11-20',
        model: 'web search tool calls',
        costNanoUsd: 2_250_000_000n,
        roundingNanoUsd: 5_000_000n,
      },
    ])
  })
})

describe('a damaged table is refused with the line', () => {
  it.each([
    ['day,requests\n2026-11-20,5\nTotal,5', 'Line 3, day: it is not a day: write it as 2026-11-21.'],
    ['day,requests\n2026-02-30,5', 'Line 2, day: it is not a day'],
    ['day,requests\n11/20/2026,5', 'Line 2, day: it is not a day'],
    ['day,requests\n2026-11-20,1.5', 'Line 2, requests: it is not a whole number.'],
    ['day,input_tokens\n2026-11-20,n/a', 'Line 2, input_tokens: it is not a whole number.'],
    ['day;requests\n2026-11-20;1,5', 'Line 2, requests: it is not a whole number.'],
    ['day,Cost (USD)\n2026-11-20,much', 'Line 2, Cost (USD): it is not an amount of dollars.'],
    ['day,cost,currency\n2026-11-20,5,EUR', 'Line 2, currency: only US dollars can be compared.'],
    ['day,requests\n2026-11-20,5,6', 'Line 2 has 3 cells, the first line has 2.'],
    ['day,x,requests\n2026-11-20,"a\nb",5\n2026-11-20,5', 'Line 4 has 2 cells'],
    ['day,requests\n"2026-11-20,5', 'Line 2: a quote opens and is never closed.'],
    ['day,requests\n"2026-11-20"x,5', 'Line 2: after the quote that closes a cell another cell has to begin.'],
    [
      'start_time,end_time,start_time_iso\n1,2,3',
      'no column of requests, tokens or costs (cost_usd …): its columns are start_time, end_time, start_time_iso.',
    ],
    ['model,requests\nx,1', 'no column of days (day, date, start_time …): its columns are model, requests.'],
    ['user,day,model,type,price,amount\nu,2026-11-20,m,t,0.1,1000', 'no column of requests, tokens or costs'],
    ['day,requests', 'no line below the names of its columns'],
    ['day,requests\n2026-11-20,', 'no figures'],
    ['name,age\nx,1', 'no export that is known'],
  ])('%j', (text, message) => {
    expect(() => read(text)).toThrow(message)
  })
})

describe('the cells of a table', () => {
  it('are those that were written, whatever is in them', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '1', ' ', ',', ';', '"', '\n', '\r\n', 'é') })
    const rows = fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 5 })
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
    fc.assert(
      fc.property(rows, fc.constantFrom('\n', '\r\n'), fc.constantFrom(',', ';', '\t'), (cells, lineEnd, delimiter) => {
        const head = ['x', 'y', 'z']
        const text = [head, ...cells].map((line) => line.map(quote).join(delimiter)).join(lineEnd)
        const written = [head, ...cells].filter((line) => line.some((one) => one.trim() !== ''))
        expect(parseCsv(text).lines.map((line) => line.cells)).toEqual(written)
      }),
    )
  })
})

describe('a day', () => {
  it.each([
    ['2026-11-20', '2026-11-20'],
    ['2026/11/20', '2026-11-20'],
    ['2026/9/1', '2026-09-01'],
    ['2026-11-20 13:00', '2026-11-20'],
    ['2026-11-20T23:30:00', '2026-11-20'],
    ['2026-11-20T23:30:00.123456Z', '2026-11-20'],
    ['2026-11-20 23:30:00 UTC', '2026-11-20'],
    ['2026-11-20T23:30:00-02:00', '2026-11-21'],
    ['2026-11-21T01:30:00+0200', '2026-11-20'],
    ['1795132800', '2026-11-20'],
    ['1795132800.0', '2026-11-20'],
    ['1795219199999', '2026-11-20'],
  ])('%s is %s in UTC', (text, day) => {
    expect(parseDay(text)).toBe(day)
  })

  it.each([
    '',
    '20',
    '2026-13-01',
    '2026-02-29',
    '20.11.2026',
    'Nov 20, 2026',
    '2026-11',
    '2026-11-20T25:00',
    '9999999999999',
  ])('%j is none', (text) => {
    expect(parseDay(text)).toBeNull()
  })
})
