import { describe, expect, it } from '@jest/globals'
import { GatewayError } from '../../../src/errors.ts'
import type { Json } from '../../../src/formats/dialect.ts'
import { openaiResponses } from '../../../src/formats/openai-responses/index.ts'

function refusalOf(body: Json): { code: string; param: string | null; message: string } {
  try {
    openaiResponses.parseRequest({ model: 'm', input: 'Hi', ...body }, { model: null, stream: null })
  } catch (error) {
    if (error instanceof GatewayError) return { code: error.code, param: error.param, message: error.message }
    throw error
  }
  throw new Error('It was not refused.')
}

describe('what only an API that keeps state can do is refused with what to do instead', () => {
  it.each([
    ['previous_response_id', 'resp_1', 'send the whole conversation in `input`'],
    ['conversation', 'conv_1', 'send the whole conversation in `input`'],
    ['conversation', { id: 'conv_1' }, 'send the whole conversation in `input`'],
    ['store', true, 'leave it out or send false'],
    ['background', true, 'stream the answer'],
    ['prompt', { id: 'pmpt_1' }, 'send the text of the template'],
  ])('%s: %j', (param, value, advice) => {
    const { code, param: named, message } = refusalOf({ [param]: value })
    expect({ code, named }).toEqual({ code: 'unsupported_parameter', named: param })
    expect(message).toContain(`\`${param}\` is not supported for this model`)
    expect(message).toContain(advice)
  })
})

describe('tools that the API runs itself are refused, by their names', () => {
  it.each([
    'web_search',
    'web_search_preview',
    'file_search',
    'code_interpreter',
    'mcp',
    'image_generation',
    'computer_use_preview',
    'computer',
    'local_shell',
    'shell',
    'apply_patch',
    'tool_search',
  ])('%s', (type) => {
    const tools = [{ type: 'function', name: 'a', parameters: null }, { type }]
    const { code, param, message } = refusalOf({ tools })
    expect({ code, param }).toEqual({ code: 'unsupported_parameter', param: 'tools[1].type' })
    expect(message).toContain(`\`${type}\` is run by the API itself`)
  })

  it('custom, with how to declare it', () => {
    const { code, message } = refusalOf({ tools: [{ type: 'custom', name: 'apply_patch' }] })
    expect(code).toBe('unsupported_parameter')
    expect(message).toContain('`function` with one text parameter')
  })

  it.each([
    [{ type: 'web_search' }, 'tool_choice.type'],
    [{ type: 'mcp', server_label: 's' }, 'tool_choice.type'],
    [{ type: 'allowed_tools', mode: 'auto', tools: [{ type: 'mcp' }] }, 'tool_choice.tools[0].type'],
  ])('as a choice: %j', (tool_choice, param) => {
    expect(refusalOf({ tool_choice })).toMatchObject({ code: 'unsupported_parameter', param })
  })
})

describe('items that nobody else knows are refused', () => {
  it.each([
    'item_reference',
    'web_search_call',
    'file_search_call',
    'computer_call',
    'computer_call_output',
    'code_interpreter_call',
    'image_generation_call',
    'local_shell_call',
    'mcp_call',
    'mcp_list_tools',
    'mcp_approval_response',
    'custom_tool_call',
    'compaction',
  ])('%s', (type) => {
    const { code, param } = refusalOf({
      input: [
        { role: 'user', content: 'Hi' },
        { type, id: 'x' },
      ],
    })
    expect({ code, param }).toEqual({ code: 'unsupported_parameter', param: 'input[1].type' })
  })

  it('a reference with the advice to send the item', () => {
    expect(refusalOf({ input: [{ type: 'item_reference', id: 'msg_1' }] }).message).toContain('send the item itself')
  })
})

describe('a mistake is told by the place where it is', () => {
  it.each<[Json, string]>([
    [{ model: null }, 'model'],
    [{ input: null }, 'input'],
    [{ input: 5 }, 'input'],
    [{ input: ['Hi'] }, 'input[0]'],
    [{ input: [{ role: 'tool', content: 'x' }] }, 'input[0].role'],
    [{ input: [{ role: 'user' }] }, 'input[0].content'],
    [{ input: [{ type: 5 }] }, 'input[0].type'],
    [{ input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }, 'input[0].content[0].type'],
    [{ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, 'input[0].content[0].text'],
    [{ input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'input[0].content[0].image_url'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: { url: 'https://a.example' } }] }] },
      'input[0].content[0].image_url',
    ],
    [{ input: [{ role: 'user', content: [{ type: 'input_file' }] }] }, 'input[0].content[0].file_data'],
    [{ input: [{ type: 'function_call', name: 'a', arguments: '{}' }] }, 'input[0].call_id'],
    [{ input: [{ type: 'function_call', call_id: 'c', arguments: '{}' }] }, 'input[0].name'],
    [{ input: [{ type: 'function_call_output', call_id: 'c' }] }, 'input[0].output'],
    [{ input: [{ type: 'function_call_output', output: 'x' }] }, 'input[0].call_id'],
    [{ instructions: ['x'] }, 'instructions'],
    [{ tools: [{ type: 'function' }] }, 'tools[0].name'],
    [{ tools: [{ name: 'a' }] }, 'tools[0].type'],
    [{ tools: {} }, 'tools'],
    [{ tool_choice: 'any' }, 'tool_choice'],
    [{ tool_choice: { type: 'function' } }, 'tool_choice.name'],
    [{ text: { format: { type: 'xml' } } }, 'text.format.type'],
    [{ text: { format: { type: 'json_schema', name: 'n' } } }, 'text.format.schema'],
    [{ text: { format: { type: 'json_schema', schema: {} } } }, 'text.format.name'],
    [{ reasoning: { effort: 'huge' } }, 'reasoning.effort'],
    [{ max_output_tokens: 1.5 }, 'max_output_tokens'],
    [{ temperature: 'hot' }, 'temperature'],
    [{ include: 5 }, 'include'],
    [{ stream: 'yes' }, 'stream'],
  ])('%j', (body, param) => {
    expect(refusalOf(body)).toMatchObject({ code: 'invalid_request', param })
  })
})
