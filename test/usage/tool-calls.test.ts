import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { UsageDetails } from '../../src/store/store.ts'
import { createJsonObserver } from '../../src/usage/json-observer.ts'
import type { Observer } from '../../src/usage/observer.ts'
import { NO_USAGE } from '../../src/usage/read-usage.ts'
import { createStreamObserver } from '../../src/usage/stream-observer.ts'
import { createToolCount, withTools } from '../../src/usage/tool-calls.ts'
import { namedEvents } from '../fixtures/sample.ts'
import { cutAt, cuts } from '../formats/cuts.ts'
import { watch } from './watch.ts'

const search = (type: string) => ({ id: 'ws_1', type: 'web_search_call', status: 'completed', action: { type } })
const OUTPUT = [
  { id: 'rs_1', type: 'reasoning', summary: [] },
  search('search'),
  search('open_page'),
  search('find_in_page'),
  search('search'),
  { id: 'fs_1', type: 'file_search_call', queries: ['q'], results: null },
  { id: 'ci_1', type: 'code_interpreter_call', code: 'print("type": "web_search_call")', container_id: 'cntr_1' },
  {
    type: 'message',
    content: [{ type: 'output_text', text: 'I say {"type": "web_search_call"} and "type":"search"' }],
  },
]
const COUNTED: UsageDetails = { web_searches: 2, storage_searches: 1, code_executions: 1 }
const response = (output: object[]) => ({
  object: 'response',
  model: 'gpt-5-mini',
  tools: [{ type: 'web_search' }, { type: 'file_search' }],
  include: ['web_search_call.action.sources'],
  output,
})
const events = (output: object[]) => [
  { type: 'response.created', response: response([]) },
  ...output.flatMap((item) => [
    { type: 'response.output_item.added', item },
    { type: 'response.output_item.done', item },
  ]),
  { type: 'response.completed', response: response(output) },
]
const stream = () => createStreamObserver({ terminator: 'response_event', hideUsage: false, secret: 'none' })
const toolsOf = (observer: Observer, pieces: Buffer[]) => {
  watch(observer, pieces)
  return observer.result().tools
}

describe('tools that a provider runs and charges', () => {
  it.each([0, 2])('are counted in a JSON answer, searches and not what followed them (indented by %d)', (indent) => {
    expect(toolsOf(createJsonObserver(true), [Buffer.from(JSON.stringify(response(OUTPUT), null, indent))])).toEqual(
      COUNTED,
    )
  })

  it('are counted in a stream once, however it is cut', () => {
    const bytes = Buffer.from(namedEvents(events(OUTPUT)))
    fc.assert(fc.property(cuts, (places) => expect(toolsOf(stream(), cutAt(bytes, places))).toEqual(COUNTED)))
  })

  it('are counted as far as they had come of an answer that broke off', () => {
    const begun = namedEvents(events(OUTPUT).slice(0, 5))
    expect(toolsOf(stream(), [Buffer.from(begun)])).toEqual({ web_searches: 1 })
    const json = JSON.stringify(response(OUTPUT))
    const cut = json.slice(0, json.indexOf('file_search_call'))
    expect(toolsOf(createJsonObserver(true), [Buffer.from(cut)])).toEqual({ web_searches: 2 })
  })

  it('are counted in answers too long to keep', () => {
    const picture = { id: 'ig_1', type: 'image_generation_call', status: 'completed', result: 'QUJD'.repeat(500_000) }
    const counted = { web_searches: 1, image_generations: 1 }
    const pieces = (text: string) =>
      cutAt(
        Buffer.from(text),
        Array.from({ length: 60 }, (_, i) => i * 40_000),
      )
    expect(toolsOf(createJsonObserver(true), pieces(JSON.stringify(response([search('search'), picture]))))).toEqual(
      counted,
    )
    expect(toolsOf(stream(), pieces(namedEvents(events([search('search'), picture]))))).toEqual(counted)
  })

  it('are none where there were none', () => {
    expect(toolsOf(createJsonObserver(true), [Buffer.from(JSON.stringify(response([])))])).toBeNull()
    expect(createToolCount().result()).toBeNull()
  })

  it('are one search for each answer of a model that always searches', () => {
    const reported = { ...NO_USAGE, source: 'reported' as const }
    expect(withTools(reported, null, 'gpt-4o-mini-search-preview-2025-03-11').details).toEqual({ web_searches: 1 })
    expect(withTools(reported, null, 'gpt-5-search-api').details).toEqual({ web_searches: 1 })
    expect(withTools(reported, null, 'gpt-4o').details).toBeNull()
    expect(withTools(NO_USAGE, null, 'gpt-5-search-api')).toBe(NO_USAGE)
  })
})
