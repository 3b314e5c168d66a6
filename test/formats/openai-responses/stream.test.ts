import { describe, expect, it } from '@jest/globals'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import type { HubEvent } from '../../../src/formats/hub.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'
import { record } from '../../../src/formats/read.ts'
import { NO_USAGE } from '../../../src/usage/read-usage.ts'
import { factsFor, readSse, tell, typesOf, understand } from './streams.ts'

const start: HubEvent = { type: 'start', id: 'msg_01', model: 'claude', created: null }
const say = (text: string): HubEvent => ({ type: 'text', choice: 0, text })
const think = (text: string): HubEvent => ({ type: 'reasoning', choice: 0, text })
const call = (number: number, id: string): HubEvent => ({ type: 'tool_call', choice: 0, call: number, id, name: 'a' })
const write = (number: number, json: string): HubEvent => ({ type: 'arguments', choice: 0, call: number, json })
const finish = (reason: (HubEvent & { type: 'finish' })['reason']): HubEvent => ({ type: 'finish', choice: 0, reason })
const done: HubEvent = { type: 'done' }

const tellAll = (...events: HubEvent[]) => readSse(tell([start, ...events]))
const lastOf = (...events: HubEvent[]) => tellAll(...events).at(-1)!.data
const read = (...events: Json[]) => understand(events.map((data) => ({ name: String(data.type), data })))

describe('a stream of the Responses API', () => {
  it('opens and closes every item and part around its pieces', () => {
    const told = tellAll(
      think('Hm'),
      think('.'),
      { type: 'signature', choice: 0, signature: 'S1' },
      say('I see'),
      say(' it.'),
      { type: 'refusal', choice: 0, text: 'But no.' },
      call(0, 'call_1'),
      write(0, '{"a":'),
      write(0, '1}'),
      call(1, 'call_2'),
      finish('tool_calls'),
      { type: 'usage', usage: { ...NO_USAGE, inputTokens: 5, outputTokens: 7 } },
      done,
    )
    expect(typesOf(told).map((type) => type.replace('response.', ''))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'content_part.added',
      'refusal.delta',
      'refusal.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ])
    expect(record(told.at(-1)!.data.response)).toMatchObject({
      id: 'resp_msg_01',
      object: 'response',
      status: 'completed',
      model: 'claude',
      created_at: 1_790_000_000,
      output: [
        {
          id: 'rs_msg_01_0',
          type: 'reasoning',
          summary: [{ type: 'summary_text', text: 'Hm.' }],
          encrypted_content: 'S1',
        },
        {
          id: 'msg_msg_01_1',
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [
            { type: 'output_text', text: 'I see it.', annotations: [], logprobs: [] },
            { type: 'refusal', refusal: 'But no.' },
          ],
        },
        { id: 'fc_msg_01_2', type: 'function_call', call_id: 'call_1', name: 'a', arguments: '{"a":1}' },
        // A call without arguments has an empty object of them.
        { id: 'fc_msg_01_3', type: 'function_call', call_id: 'call_2', name: 'a', arguments: '{}' },
      ],
      usage: {
        input_tokens: 5,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 12,
      },
    })
  })

  it('says in each piece which item and part it is of', () => {
    const pieces = tellAll(
      think('Hm'),
      say('I'),
      { type: 'refusal', choice: 0, text: 'No' },
      call(0, 'c'),
      write(0, '{}'),
    )
      .map(({ data }) => data)
      .filter(({ type }) => String(type).endsWith('.delta'))
    expect(pieces).toMatchObject([
      { item_id: 'rs_msg_01_0', output_index: 0, summary_index: 0, delta: 'Hm' },
      { item_id: 'msg_msg_01_1', output_index: 1, content_index: 0, delta: 'I', logprobs: [] },
      { item_id: 'msg_msg_01_1', output_index: 1, content_index: 1, delta: 'No' },
      { item_id: 'fc_msg_01_2', output_index: 2, delta: '{}' },
    ])
  })

  it('has a name on each event, as its type, a number, and no [DONE]', () => {
    const text = tell([start, say('Hi'), finish('stop'), done])
    const events = readSse(text)
    expect(events.map(({ name }) => name)).toEqual(typesOf(events))
    expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, index) => index))
    expect(text).not.toContain('[DONE]')
    expect(text.endsWith('}\n\n')).toBe(true)
  })

  it('ends as what it is when it was cut, with the item that was', () => {
    expect(lastOf(say('Hal'), finish('length'), done)).toMatchObject({
      type: 'response.incomplete',
      response: {
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        output: [{ type: 'message', status: 'incomplete' }],
      },
    })
    expect(lastOf(say('Hal'), call(0, 'c'), write(0, '{'), finish('context_length'), done)).toMatchObject({
      type: 'response.incomplete',
      response: { output: [{ status: 'completed' }, { type: 'function_call', status: 'incomplete', arguments: '{' }] },
    })
    for (const reason of ['content_filter', 'refusal'] as const)
      expect(lastOf(say('No'), finish(reason), done)).toMatchObject({
        type: 'response.incomplete',
        response: { incomplete_details: { reason: 'content_filter' } },
      })
  })

  it('tells an error as such and as what became of the response, and then nothing more', () => {
    const error = { kind: 'overloaded', message: 'Busy', code: null, param: null, retryAfterMs: null } as const
    const told = tellAll(say('Whole.'), call(0, 'c'), { type: 'error', error }, say('more'), finish('stop'), done)
    expect(typesOf(told).slice(-2)).toEqual(['error', 'response.failed'])
    expect(told.at(-2)!.data.error).toEqual({
      message: 'Busy',
      type: 'overloaded_error',
      param: null,
      code: 'overloaded',
    })
    expect(told.at(-1)!.data.response).toMatchObject({
      status: 'failed',
      error: { code: 'overloaded', message: 'Busy' },
      output: [{ type: 'message' }],
    })
  })

  it('fails whole when nothing has begun', () => {
    const error = { kind: 'timeout', message: 'Late', code: null, param: null, retryAfterMs: null } as const
    const told = readSse(tell([{ type: 'error', error }]))
    expect(typesOf(told)).toEqual(['response.created', 'response.in_progress', 'error', 'response.failed'])
    expect(record(told.at(-1)!.data.response).error).toEqual({ code: 'server_error', message: 'Late' })
  })

  it('does without a start, and without anything said', () => {
    expect(typesOf(readSse(tell([done])))).toEqual(['response.created', 'response.in_progress', 'response.completed'])
    expect(readSse(tell([say('Hi')]))[0]!.data.response).toMatchObject({ id: 'resp_1790000000', model: 'm' })
  })

  it('cites as it goes, and again at the end', () => {
    const citation = { url: 'https://a.example', title: 'A' }
    const told = tellAll(say('Sun.'), { type: 'citation', choice: 0, citation }, finish('stop'), done)
    const annotation = { type: 'url_citation', url: 'https://a.example', title: 'A', start_index: 4, end_index: 4 }
    expect(told.find(({ name }) => name?.includes('annotation'))!.data).toMatchObject({
      item_id: 'msg_msg_01_0',
      output_index: 0,
      content_index: 0,
      annotation_index: 0,
      annotation,
    })
    expect(told.at(-1)!.data.response).toMatchObject({ output: [{ content: [{ annotations: [annotation] }] }] })
  })

  it('gives probabilities, and repeats what was asked for', () => {
    const request = openaiResponses.parseRequest(
      {
        model: 'm',
        instructions: 'Be kind.',
        input: 'Hi',
        tools: [{ type: 'function', name: 'a', parameters: null, strict: true }],
        tool_choice: { type: 'function', name: 'a' },
        parallel_tool_calls: false,
        max_output_tokens: 50,
        temperature: 0.5,
        top_logprobs: 1,
        text: { format: { type: 'json_object' } },
        reasoning: { effort: 'low', summary: 'auto' },
        metadata: { a: 'b' },
        user: 'u',
      },
      { model: null, stream: null },
    )
    const logprobs = [{ token: 'Hi', logprob: -0.5, top: [{ token: 'Ho', logprob: -1, bytes: [72, 111] }] }]
    const events = [start, say('Hi'), { type: 'logprobs', choice: 0, logprobs } as const, finish('stop'), done]
    const told = readSse(tell(events, factsFor(request)))
    const built = [
      { token: 'Hi', logprob: -0.5, bytes: [72, 105], top_logprobs: [{ token: 'Ho', logprob: -1, bytes: [72, 111] }] },
    ]
    expect(told.filter(({ name }) => name === 'response.output_text.delta').map(({ data }) => data.logprobs)).toEqual([
      [],
      built,
    ])
    for (const { data } of [told[0]!, told.at(-1)!])
      expect(data.response).toMatchObject({
        instructions: 'Be kind.',
        tools: [{ type: 'function', name: 'a', parameters: null, strict: true }],
        tool_choice: { type: 'function', name: 'a' },
        parallel_tool_calls: false,
        max_output_tokens: 50,
        temperature: 0.5,
        top_p: null,
        text: { format: { type: 'json_object' } },
        reasoning: { effort: 'low', summary: 'auto' },
        metadata: { a: 'b' },
        safety_identifier: 'u',
        store: false,
        previous_response_id: null,
      })
    expect(told.at(-1)!.data.response).toMatchObject({ output: [{ content: [{ logprobs: built }] }] })
  })

  it('holds a long text whole until its end', () => {
    const pieces = Array.from({ length: 1_000 }, (_, index) => `${index} `)
    const last = lastOf(
      ...pieces.map(say),
      call(0, 'c'),
      ...pieces.map((piece) => write(0, piece)),
      finish('stop'),
      done,
    )
    expect(last.response).toMatchObject({
      output: [{ content: [{ text: pieces.join('') }] }, { arguments: pieces.join('') }],
    })
  })

  it('tells the first of several answers, and keeps a connection awake without an event', () => {
    expect(typesOf(tellAll({ type: 'text', choice: 1, text: 'Other' }))).toHaveLength(2)
    expect(tell([{ type: 'ping' }])).toBe(': ping\n\n')
  })

  it('keeps calls open side by side whose pieces come mixed, each piece with its item', () => {
    const mixed = [write(0, '{"a"'), call(1, 'c2'), write(1, '{"b"'), write(0, ':1}'), say('Hm'), write(1, ':2}')]
    const told = readSse(tell([start, call(0, 'c1'), ...mixed, finish('tool_calls'), done]))
    const pieces = told.filter(({ name }) => name === 'response.function_call_arguments.delta')
    expect(pieces.map(({ data }) => [data.output_index, data.item_id, data.delta])).toEqual([
      [0, 'fc_msg_01_0', '{"a"'],
      [1, 'fc_msg_01_1', '{"b"'],
      [0, 'fc_msg_01_0', ':1}'],
      [1, 'fc_msg_01_1', ':2}'],
    ])
    // What is whole is closed as soon as something else begins.
    const ends = told.filter(({ name }) => name === 'response.output_item.done')
    expect(ends.map(({ data }) => data.output_index)).toEqual([0, 1, 2])
    expect(told.at(-1)!.data.response).toMatchObject({
      status: 'completed',
      output: [
        { type: 'function_call', call_id: 'c1', arguments: '{"a":1}', status: 'completed' },
        { type: 'function_call', call_id: 'c2', arguments: '{"b":2}', status: 'completed' },
        { type: 'message', content: [{ text: 'Hm' }] },
      ],
    })
  })

  it('tells of calls side by side which ones were cut', () => {
    const mixed = [call(0, 'c1'), write(0, '{"a"'), call(1, 'c2'), call(2, 'c3'), write(1, '{}'), write(2, '{}')]
    expect(lastOf(...mixed, finish('length'), done).response).toMatchObject({
      status: 'incomplete',
      output: [
        { call_id: 'c1', arguments: '{"a"', status: 'incomplete' },
        { call_id: 'c2', arguments: '{}', status: 'completed' },
        { call_id: 'c3', arguments: '{}', status: 'incomplete' },
      ],
    })
  })

  it('does not lose what comes for a call whose arguments were whole, but says so', () => {
    const closed = [call(0, 'c1'), write(0, '{}'), call(1, 'c2')]
    expect(() => tellAll(...closed, write(0, '{'))).toThrow(UnreadableAnswer)
    expect(() => tellAll(...closed, write(0, ' \n'))).not.toThrow()
  })
})

const created = { type: 'response.created', response: { id: 'resp_1', model: 'gpt', created_at: 5, usage: null } }

describe('a stream of the Responses API is understood', () => {
  it('when pieces are missing and only whole items come', () => {
    const events = read(
      created,
      { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', summary: [] } },
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: { type: 'reasoning', summary: [{ text: 'Hm.' }], encrypted_content: 'S1' },
      },
      {
        type: 'response.output_item.done',
        output_index: 1,
        item: { type: 'message', content: [{ type: 'output_text', text: 'Hi' }] },
      },
      { type: 'response.output_item.added', output_index: 2, item: { type: 'function_call', call_id: 'c', name: 'a' } },
      {
        type: 'response.output_item.done',
        output_index: 2,
        item: { type: 'function_call', call_id: 'c', name: 'a', arguments: '{"a":1}' },
      },
      { type: 'response.completed', response: { status: 'completed', usage: { input_tokens: 1, output_tokens: 2 } } },
    )
    expect(events).toMatchObject([
      { type: 'start', id: 'resp_1', model: 'gpt', created: 5 },
      { type: 'reasoning', text: 'Hm.' },
      { type: 'signature', signature: 'S1' },
      { type: 'text', text: 'Hi' },
      { type: 'tool_call', call: 0, id: 'c', name: 'a' },
      { type: 'arguments', call: 0, json: '{"a":1}' },
      { type: 'finish', reason: 'tool_calls' },
      { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } },
      { type: 'done' },
    ])
  })

  it('when a summary has several parts, and when thoughts come as they are as well', () => {
    const part = (summary_index: number) => ({
      type: 'response.reasoning_summary_part.added',
      output_index: 0,
      summary_index,
    })
    const piece = (type: string, delta: string) => ({ type: `response.${type}.delta`, output_index: 0, delta })
    expect(
      read(
        part(0),
        piece('reasoning_summary_text', 'One.'),
        part(1),
        piece('reasoning_summary_text', 'Two.'),
        piece('reasoning_text', 'One and two.'),
      ),
    ).toEqual([think('One.'), think('\n\n'), think('Two.')])
    expect(read(piece('reasoning_text', 'Raw.'), part(1), piece('reasoning_summary_text', 'Short.'))).toEqual([
      think('Raw.'),
    ])
  })

  it('when pieces of several calls come mixed, by their items', () => {
    const added = (output_index: number, id: string) => ({
      type: 'response.output_item.added',
      output_index,
      item: { type: 'function_call', id: `fc_${id}`, call_id: id, name: 'a', arguments: '' },
    })
    const piece = (output_index: number, delta: string) => ({
      type: 'response.function_call_arguments.delta',
      output_index,
      // At some providers it is another in each event.
      item_id: `fc_${delta.length}`,
      delta,
    })
    expect(read(added(0, 'c1'), added(1, 'c2'), piece(1, '{"b'), piece(0, '{}'), piece(1, '":1}'))).toEqual([
      call(0, 'c1'),
      call(1, 'c2'),
      write(1, '{"b'),
      write(0, '{}'),
      write(1, '":1}'),
    ])
  })

  it('when it was cut, and by what', () => {
    const cut = (reason?: string) =>
      read({ type: 'response.incomplete', response: { incomplete_details: reason && { reason } } })
    expect(cut('max_output_tokens')).toEqual([finish('length'), done])
    expect(cut('content_filter')).toEqual([finish('content_filter'), done])
    expect(cut()).toEqual([finish('length'), done])
  })

  it('when it failed, in every spelling, and tells it once', () => {
    const error = { code: 'rate_limit_exceeded', message: 'Slow down', param: null }
    const failed = { type: 'response.failed', response: { status: 'failed', error } }
    const told = [{ type: 'error', error: expect.objectContaining({ kind: 'rate_limit', message: 'Slow down' }) }]
    expect(read({ type: 'error', error: { ...error, type: 'requests' } }, failed)).toEqual(told)
    expect(read({ type: 'error', ...error }, failed)).toEqual(told)
    expect(read(failed)).toEqual(told)
  })

  it('when it failed, by whose fault it was', () => {
    const kindOf = (error: Json) => (read({ type: 'error', error })[0] as HubEvent & { type: 'error' }).error.kind
    expect(kindOf({ code: 'server_error', message: 'x' })).toBe('server')
    expect(kindOf({ code: 'insufficient_quota', message: 'x' })).toBe('billing')
    expect(kindOf({ code: 'invalid_prompt', message: 'x' })).toBe('invalid_request')
    expect(kindOf({ code: 'image_too_large', message: 'x' })).toBe('invalid_request')
    expect(kindOf({ code: 'vector_store_timeout', message: 'x' })).toBe('server')
    expect(kindOf({ type: 'invalid_request_error', code: null, message: 'x' })).toBe('invalid_request')
    expect(kindOf({ code: 'context_length_exceeded', message: 'x' })).toBe('context_length')
    expect(kindOf({ message: 'x' })).toBe('server')
  })

  it('when it ends too early: as no end', () => {
    expect(read(created, { type: 'response.output_text.delta', output_index: 0, delta: 'Hal' })).toEqual([
      { type: 'start', id: 'resp_1', model: 'gpt', created: 5 },
      say('Hal'),
    ])
  })

  it('when there is more in it than is known', () => {
    expect(
      read(
        { type: 'response.web_search_call.searching', output_index: 0 },
        { type: 'response.output_item.done', output_index: 0, item: { type: 'web_search_call' } },
        { type: 'response.output_text.annotation.added', annotation: { type: 'file_citation', file_id: 'file-1' } },
        { type: 'response.new_thing' },
        {},
      ),
    ).toEqual([])
  })
})
