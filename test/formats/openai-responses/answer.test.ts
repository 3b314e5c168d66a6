import { describe, expect, it } from '@jest/globals'
import { type Json, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import type { HubAnswer, HubCandidate } from '../../../src/formats/hub.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'
import { records } from '../../../src/formats/read.ts'
import { factsFor } from './streams.ts'

const answer = (candidate: Partial<HubCandidate>, more: Partial<HubAnswer> = {}): HubAnswer => ({
  id: 'msg_01',
  model: 'claude',
  created: null,
  candidates: [{ parts: [], finish: 'stop', ...candidate }],
  usage: null,
  ...more,
})
const build = (one: HubAnswer) => openaiResponses.buildAnswer(one, factsFor())
const outputOf = (candidate: Partial<HubCandidate>) => records(build(answer(candidate)).output)

describe('an answer of the Responses API', () => {
  it('has everything in the order in which it was given', () => {
    const output = outputOf({
      parts: [
        { type: 'reasoning', text: 'Hm.', signature: 'S1' },
        { type: 'text', text: 'Sun.', citations: [{ url: 'https://a.example', title: 'A' }] },
        { type: 'text', text: ' Snow.' },
        { type: 'tool_call', id: 'c1', name: 'a', arguments: '' },
        { type: 'reasoning', text: '', redacted: 'R1' },
        { type: 'refusal', text: 'No.' },
      ],
      finish: 'tool_calls',
    })
    expect(output).toEqual([
      {
        id: 'rs_msg_01_0',
        type: 'reasoning',
        encrypted_content: 'S1',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
      },
      {
        id: 'msg_msg_01_1',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [
          {
            type: 'output_text',
            text: 'Sun.',
            annotations: [{ type: 'url_citation', url: 'https://a.example', title: 'A', start_index: 0, end_index: 4 }],
            logprobs: [],
          },
          { type: 'output_text', text: ' Snow.', annotations: [], logprobs: [] },
        ],
      },
      { id: 'fc_msg_01_2', type: 'function_call', status: 'completed', call_id: 'c1', name: 'a', arguments: '{}' },
      { id: 'rs_msg_01_3', type: 'reasoning', encrypted_content: expect.stringContaining('R1'), summary: [] },
      {
        id: 'msg_msg_01_4',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'refusal', refusal: 'No.' }],
      },
    ])
  })

  it('leaves out a thought of which nothing is known', () => {
    expect(outputOf({ parts: [{ type: 'reasoning', text: '' }] })).toEqual([])
  })

  it('says how it ended', () => {
    const endOf = (finish: HubCandidate['finish']) => {
      const { status, incomplete_details } = build(answer({ finish, parts: [{ type: 'text', text: 'Hi' }] }))
      return [status, (incomplete_details as Json | null)?.reason]
    }
    expect(endOf('stop')).toEqual(['completed', undefined])
    expect(endOf('stop_sequence')).toEqual(['completed', undefined])
    expect(endOf('tool_calls')).toEqual(['completed', undefined])
    expect(endOf('length')).toEqual(['incomplete', 'max_output_tokens'])
    expect(endOf('context_length')).toEqual(['incomplete', 'max_output_tokens'])
    expect(endOf('content_filter')).toEqual(['incomplete', 'content_filter'])
    expect(endOf('refusal')).toEqual(['incomplete', 'content_filter'])
    expect(outputOf({ finish: 'length', parts: [{ type: 'text', text: 'Hal' }] })).toMatchObject([
      { status: 'incomplete' },
    ])
  })

  it('has ids of its own dialect, always the same for the same answer, and never longer than may be sent back', () => {
    const idOf = (id: string) => String(build(answer({}, { id })).id)
    expect(idOf('resp_1')).toBe('resp_1')
    expect(idOf('chatcmpl-1')).toBe('resp_chatcmpl-1')
    expect(idOf('')).toBe('resp_1790000000')
    const [item] = records(
      build(answer({ parts: [{ type: 'text', text: 'Hi' }] }, { id: `gen/${'x'.repeat(100)}` })).output,
    )
    expect(item!.id).toMatch(/^msg_[\w-]{1,60}$/)
  })

  it('tells its time, its model and its tier, or the ones that were asked for', () => {
    expect(build(answer({}, { created: 5, serviceTier: 'flex' }))).toMatchObject({
      created_at: 5,
      model: 'claude',
      service_tier: 'flex',
      usage: null,
    })
    expect(build(answer({}, { model: '' }))).toMatchObject({
      created_at: 1_790_000_000,
      model: 'm',
      service_tier: null,
    })
  })

  it('is an empty one where a provider gave none', () => {
    expect(build({ ...answer({}), candidates: [] })).toMatchObject({ status: 'completed', output: [] })
  })

  it('is not taken for one when it is none', () => {
    const read = (body: Json) => () => openaiResponses.parseAnswer(body)
    expect(read({ choices: [] })).toThrow(UnreadableAnswer)
    for (const status of ['failed', 'in_progress', 'queued', 'cancelled'])
      expect(read({ output: [], status })).toThrow(UnreadableAnswer)
    expect(read({ output: [], status: 'failed', error: { message: 'Broken' } })).toThrow('failed: Broken')
  })

  it('may be incomplete, and has its calls even so', () => {
    const calls = [{ type: 'function_call', id: 'fc_1', name: 'a', arguments: '{}' }]
    const read = (body: Json) => openaiResponses.parseAnswer({ output: calls, ...body }).candidates[0]!
    expect(read({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }).finish).toBe(
      'content_filter',
    )
    expect(read({ status: 'incomplete', incomplete_details: null }).finish).toBe('length')
    expect(read({ status: 'completed' })).toEqual({
      finish: 'tool_calls',
      parts: [{ type: 'tool_call', id: 'fc_1', name: 'a', arguments: '{}' }],
    })
  })
})

describe('an error of the Responses API', () => {
  it('has the shape of all of OpenAI’s', () => {
    const body = {
      error: {
        message: 'Your input exceeds the context window of this model.',
        type: 'invalid_request_error',
        param: 'input',
        code: 'context_length_exceeded',
      },
    }
    const error = openaiResponses.parseError(400, body)
    expect(error).toMatchObject({ kind: 'context_length', param: 'input' })
    expect(openaiResponses.buildError(error, 400)).toEqual(body)
  })

  it('may be written otherwise by those who copy it', () => {
    expect(openaiResponses.parseError(400, { code: 'invalid-argument', error: 'Incorrect API key.' })).toMatchObject({
      kind: 'invalid_request',
      message: 'Incorrect API key.',
    })
  })
})
