import { describe, expect, it } from '@jest/globals'
import { cutJsonText, jsonText, requestText, streamText } from '../../src/usage/generated-text.ts'

describe('the text a model generated', () => {
  it('is what its choices say, with refusals, reasoning and tool calls', () => {
    const call = { id: 'c', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } }
    const choices = [
      { message: { role: 'assistant', content: 'Hello', reasoning_content: 'hm' } },
      { message: { content: null, tool_calls: [call] } },
      { message: { refusal: 'No.', reasoning: 'why' } },
      { text: 'completed' },
    ]
    expect(jsonText({ choices })).toBe('Hellohmweather{"city":"Bern"}whyNo.completed')
  })

  it('is what the items of a response say', () => {
    const output = [
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'I think. ' }] },
      {
        type: 'message',
        content: [
          { type: 'output_text', text: 'Hi ' },
          { type: 'refusal', refusal: 'no' },
        ],
      },
      { type: 'function_call', name: 'f', arguments: '{}' },
    ]
    expect(jsonText({ output })).toBe('I think. Hi {}')
  })

  it("is what the blocks of a message say, and the parts of Gemini's candidates", () => {
    const content = [
      { type: 'thinking', thinking: 'hm ', signature: 'c2Vh' },
      { type: 'text', text: 'Hi ' },
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern' } },
      { type: 'redacted_thinking', data: 'c2Vh' },
    ]
    expect(jsonText({ type: 'message', content })).toBe('hm Hi weather{"city":"Bern"}')
    const parts = [
      { text: 'hm ', thought: true, thoughtSignature: 'c2Vh' },
      { text: 'Hi ' },
      { functionCall: { name: 'weather', args: { city: 'Bern' } } },
      { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
    ]
    expect(jsonText({ candidates: [{ content: { role: 'model', parts } }, {}] })).toBe('hm Hi weather{"city":"Bern"}')
  })

  it('is what had come of a JSON answer that broke off, to the last letter, without what it repeats of its request', () => {
    const chat = JSON.stringify(
      { model: 'm', choices: [{ message: { content: 'Say "hi", ', tool_calls: [] } }] },
      null,
      2,
    )
    for (let end = 0; end <= chat.length; end++)
      expect('Say \\"hi\\", '.startsWith(cutJsonText(chat.slice(0, end)))).toBe(true)
    expect(cutJsonText(chat.slice(0, -20))).toBe('Say \\"hi\\", ')
    const response = {
      instructions: 'Be brief.',
      tools: [{ name: 'f', description: 'Does it.' }],
      text: { format: { type: 'text' } },
      output: [{ content: [{ type: 'output_text', text: 'Hello' }] }, { arguments: '{"a":1}' }],
    }
    expect(cutJsonText(JSON.stringify(response).slice(0, -3))).toBe('Hello{\\"a\\":1}')
  })

  it('is what the deltas of a stream say, one after the other', () => {
    const events = [
      { choices: [{ delta: { role: 'assistant', content: '' } }] },
      { choices: [{ delta: { content: 'Hel' } }, { delta: { content: 'A' } }] },
      { choices: [{ delta: { content: 'lo' } }] },
      { choices: [{ delta: { tool_calls: [{ index: 0, function: { name: 'f', arguments: '{"a"' } }] } }] },
      { choices: [{ text: ' world' }] },
      { type: 'response.output_text.delta', delta: '!' },
      { choices: [] },
    ]
    expect(streamText(events)).toBe('HelAlof{"a" world!')
  })

  it('is empty where an answer is not what it should be', () => {
    for (const odd of [null, 1, 'x', [], {}, [null], [1], { 0: { message: { content: 'x' } } }]) {
      expect(jsonText({ choices: odd, output: odd, content: odd, candidates: odd })).toBe('')
      expect(streamText([{ choices: odd, delta: odd === 'x' ? 1 : odd }])).toBe('')
      expect(
        jsonText({ choices: [{ message: odd === 'x' ? 1 : odd }], output: [{ content: odd, summary: odd }] }),
      ).toBe('')
    }
  })

  it('is read also where content comes in parts, and where a function is called the old way', () => {
    const parts = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'Hello' },
    ]
    expect(jsonText({ choices: [{ message: { content: parts } }] })).toContain('Hello')
    expect(jsonText({ choices: [{ message: { function_call: { name: 'f', arguments: '{"a":1}' } } }] })).toContain(
      '{"a":1}',
    )
  })
})

describe('the text of a request', () => {
  it('is its messages and tools, without images and files', () => {
    const text = requestText({
      model: 'gpt-4o',
      user: 'nobody',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
      ],
      tools: [{ type: 'function', function: { name: 'look' } }],
      instructions: 'Be brief.',
    })
    for (const part of ['What is it?', 'look', 'Be brief.']) expect(text).toContain(part)
    for (const part of ['AAAA', 'gpt-4o', 'nobody']) expect(text).not.toContain(part)
  })

  it.each([
    ['a prompt', { prompt: ['a', 'b'] }, 'a\nb'],
    ['an input', { input: 'hello' }, 'hello'],
    ['token numbers', { input: [1, 2, 3] }, ''],
    ['nothing', {}, ''],
  ])('of %s is that', (_what, body, expected) => {
    expect(requestText(body)).toBe(expected)
  })

  it('ends at a depth that no sane request has', () => {
    const deep = JSON.parse(`${'['.repeat(5_000)}"x"${']'.repeat(5_000)}`) as unknown
    expect(requestText({ messages: deep })).toBe('')
  })
})
