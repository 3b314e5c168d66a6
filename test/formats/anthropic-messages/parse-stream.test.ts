import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import type { HubEvent } from '../../../src/formats/hub.ts'
import { eventsIn, used } from '../samples.ts'

const start = (message: Json = {}): Json => ({
  type: 'message_start',
  message: { id: 'msg_1', model: 'm', content: [], usage: { input_tokens: 5, output_tokens: 1 }, ...message },
})
const open = (index: number, content_block: Json): Json => ({ type: 'content_block_start', index, content_block })
const delta = (index: number, one: Json): Json => ({ type: 'content_block_delta', index, delta: one })
const close = (index: number): Json => ({ type: 'content_block_stop', index })
const stop = (
  one: Json = { stop_reason: 'end_turn', stop_sequence: null },
  usage: Json = { output_tokens: 3 },
): Json => ({
  type: 'message_delta',
  delta: one,
  usage,
})
const STOP = { type: 'message_stop' }
const TEXT = { type: 'text', text: '' }
const tool = (id: string, more: Json = {}) => ({ type: 'tool_use', id, name: 'look', input: {}, ...more })

const events = (...data: Json[]) => eventsIn(anthropicMessages, data)
/** What blocks say, without the frame around it. */
const said = (...data: Json[]): HubEvent[] =>
  events(start(), ...data, stop(), STOP).filter(({ type }) => !['start', 'usage', 'finish', 'done'].includes(type))

describe('a stream of a provider of messages', () => {
  it('starts, says, ends', () => {
    expect(
      events(
        start(),
        open(0, TEXT),
        { type: 'ping' },
        delta(0, { type: 'text_delta', text: 'A' }),
        delta(0, { type: 'text_delta', text: '' }),
        close(0),
        stop(),
        STOP,
      ),
    ).toEqual([
      { type: 'start', id: 'msg_1', model: 'm', created: null },
      { type: 'usage', usage: used(5, 1), provisional: true },
      { type: 'ping' },
      { type: 'text', choice: 0, text: 'A' },
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'usage', usage: used(5, 3), provisional: false },
      { type: 'done' },
    ])
  })

  it('counts with what came last, field by field', () => {
    const first = {
      input_tokens: 2_068,
      cache_read_input_tokens: 10,
      cache_creation_input_tokens: null,
      output_tokens: 1,
    }
    const last = { input_tokens: 22_397, output_tokens: 9, cache_read_input_tokens: null }
    const counted = events(start({ usage: first }), stop(undefined, last), STOP).flatMap((event) =>
      event.type === 'usage' ? [event.usage] : [],
    )
    expect(counted.at(-1)).toEqual(used(22_407, 9, { cachedTokens: 10 }))
  })

  it('says at what it stopped, and why it refused', () => {
    expect(events(start(), stop({ stop_reason: 'stop_sequence', stop_sequence: 'END' }), STOP)).toContainEqual({
      type: 'finish',
      choice: 0,
      reason: 'stop_sequence',
      stopSequence: 'END',
    })
    const stop_details = { type: 'refusal', explanation: 'No' }
    expect(events(start(), stop({ stop_reason: 'refusal', stop_details }), STOP).slice(2, 4)).toEqual([
      { type: 'refusal', choice: 0, text: 'No' },
      { type: 'finish', choice: 0, reason: 'refusal' },
    ])
  })

  it('thinks, sealed', () => {
    expect(
      said(
        open(0, { type: 'thinking', thinking: '', signature: '' }),
        delta(0, { type: 'thinking_delta', thinking: 'Hm' }),
        delta(0, { type: 'signature_delta', signature: 'S' }),
        close(0),
        open(1, { type: 'redacted_thinking', data: 'R' }),
        close(1),
        open(2, { type: 'thinking', thinking: 'All at once', signature: 'T' }),
        close(2),
      ),
    ).toEqual([
      { type: 'reasoning', choice: 0, text: 'Hm' },
      { type: 'signature', choice: 0, signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'redacted', choice: 0, data: 'R', sealedIn: 'anthropic-messages' },
      { type: 'reasoning', choice: 0, text: 'All at once' },
      { type: 'signature', choice: 0, signature: 'T', sealedIn: 'anthropic-messages' },
    ])
  })

  it('calls tools, counted from 0, with arguments in pieces, at once, or without', () => {
    expect(
      said(
        open(0, TEXT),
        close(0),
        open(1, tool('a')),
        delta(1, { type: 'input_json_delta', partial_json: '' }),
        delta(1, { type: 'input_json_delta', partial_json: '{"x"' }),
        delta(1, { type: 'input_json_delta', partial_json: ':1}' }),
        close(1),
        open(2, tool('b', { input: { y: 2 } })),
        close(2),
        open(3, tool('c')),
        delta(3, { type: 'input_json_delta', partial_json: '' }),
        close(3),
      ),
    ).toEqual([
      { type: 'tool_call', choice: 0, call: 0, id: 'a', name: 'look' },
      { type: 'arguments', choice: 0, call: 0, json: '{"x"' },
      { type: 'arguments', choice: 0, call: 0, json: ':1}' },
      { type: 'tool_call', choice: 0, call: 1, id: 'b', name: 'look' },
      { type: 'arguments', choice: 0, call: 1, json: '{"y":2}' },
      { type: 'tool_call', choice: 0, call: 2, id: 'c', name: 'look' },
    ])
  })

  it('says nothing of what the provider runs itself, nor of what is new', () => {
    expect(
      said(
        open(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
        delta(0, { type: 'input_json_delta', partial_json: '{}' }),
        close(0),
        open(1, { type: 'web_search_tool_result', tool_use_id: 's', content: [] }),
        close(1),
        { type: 'something_new' },
        delta(1, { type: 'new_delta' }),
      ),
    ).toEqual([])
  })

  it('cites for all of a block, once it is there', () => {
    const citation = { type: 'web_search_result_location', url: 'https://e.com', title: 'E', cited_text: 'C' }
    expect(
      said(
        open(0, TEXT),
        delta(0, { type: 'text_delta', text: 'Hello ' }),
        close(0),
        open(1, TEXT),
        delta(1, { type: 'citations_delta', citation }),
        delta(1, { type: 'text_delta', text: 'World' }),
        close(1),
      ),
    ).toEqual([
      { type: 'text', choice: 0, text: 'Hello ' },
      { type: 'text', choice: 0, text: 'World' },
      { type: 'citation', choice: 0, citation: { url: 'https://e.com', title: 'E', text: 'C', start: 6, end: 11 } },
    ])
  })

  it('may have begun before its start', () => {
    const content = [tool('a', { input: { x: 1 } }), { type: 'text', text: 'A' }]
    expect(events(start({ content }), stop(), STOP).slice(1, 4)).toEqual([
      { type: 'tool_call', choice: 0, call: 0, id: 'a', name: 'look' },
      { type: 'arguments', choice: 0, call: 0, json: '{"x":1}' },
      { type: 'text', choice: 0, text: 'A' },
    ])
  })
})

describe('the end of a stream of a provider of messages', () => {
  it('is message_stop, and nothing else', () => {
    expect(events(start(), open(0, TEXT), close(0), stop()).map(({ type }) => type)).not.toContain('done')
    expect(eventsIn(anthropicMessages, [start(), stop(), '[DONE]']).map(({ type }) => type)).not.toContain('done')
  })

  it('comes once, and nothing behind it', () => {
    expect(events(start(), stop(), STOP, STOP, delta(0, { type: 'text_delta', text: 'A' })).at(-1)).toEqual({
      type: 'done',
    })
  })

  it('is an error that nothing hides', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Busy' } }
    expect(events(start(), error, stop(), STOP).at(-1)).toEqual({
      type: 'error',
      error: { kind: 'overloaded', message: 'Busy', code: 'overloaded_error', param: null, retryAfterMs: null },
    })
  })

  it('is not believed where nothing began', () => {
    expect(() => events(STOP)).toThrow(UnreadableAnswer)
  })

  it('is that of one message: a second start of the same is none, of another breaks the answer', () => {
    expect(events(start(), start(), stop(), STOP).filter(({ type }) => type === 'start')).toHaveLength(1)
    expect(() => events(start(), start({ id: 'msg_2' }))).toThrow(UnreadableAnswer)
  })
})

it('counts what a compaction on the way has used, which the end of the stream alone tells', () => {
  const iterations = [
    { type: 'compaction', input_tokens: 60_385, output_tokens: 522 },
    { type: 'message', input_tokens: 612, output_tokens: 2819 },
  ]
  const counted = events(
    start({ usage: { input_tokens: 60_385, output_tokens: 5 } }),
    stop(undefined, { input_tokens: 612, output_tokens: 2819, iterations }),
    STOP,
  ).flatMap((event) => (event.type === 'usage' ? [event.usage] : []))
  expect(counted.at(-1)).toEqual(used(60_997, 3341))
})
