import { describe, expect, it } from '@jest/globals'
import type { Json } from '../../../src/formats/dialect.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import { ANY_SEAL } from '../../../src/formats/gemini/seals.ts'

const HELLO = [{ role: 'user', parts: [{ text: 'Hello' }] }]
const parse = (body: Json, model: string | null = 'claude-sonnet-4-5') =>
  gemini.parseRequest({ contents: HELLO, ...body }, { model, stream: false })
const partsOf = (parts: Json[], role = 'user') => parse({ contents: [{ role, parts }] }).messages[0]!.parts

describe('a request of generateContent', () => {
  it('takes model and stream from its address', () => {
    expect(parse({})).toMatchObject({ model: 'claude-sonnet-4-5', stream: false })
    const streamed = gemini.parseRequest({ contents: HELLO }, { model: 'models/gpt-4o', stream: true })
    expect(streamed).toMatchObject({ model: 'gpt-4o', stream: true })
    expect(parse({ model: 'models/gpt-4o' }, null).model).toBe('gpt-4o')
    expect(() => parse({}, null)).toThrow('`model` is required')
  })

  it('may be spelled as JSON or as protocol buffers have it', () => {
    const camel = {
      systemInstruction: { parts: [{ text: 'Be kind.' }] },
      contents: [
        { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: 'aaaa' } }] },
        {
          role: 'model',
          parts: [{ functionCall: { name: 'look_up', args: { some_key: 1 } }, thoughtSignature: 'c2Vh' }],
        },
        { role: 'user', parts: [{ functionResponse: { name: 'look_up', response: { some_key: 2 } } }] },
        { role: 'user', parts: [{ fileData: { fileUri: 'https://x.test/a.pdf', mimeType: 'application/pdf' } }] },
      ],
      tools: [{ functionDeclarations: [{ name: 'look_up', parametersJsonSchema: { $defs: { some_def: {} } } }] }],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['look_up'] } },
      generationConfig: {
        maxOutputTokens: 5,
        topP: 0.5,
        stopSequences: ['x'],
        responseMimeType: 'application/json',
        thinkingConfig: { thinkingBudget: 100, includeThoughts: true },
      },
    }
    const snake = {
      system_instruction: { parts: [{ text: 'Be kind.' }] },
      contents: [
        { role: 'user', parts: [{ inline_data: { mime_type: 'image/png', data: 'aaaa' } }] },
        {
          role: 'model',
          parts: [{ function_call: { name: 'look_up', args: { some_key: 1 } }, thought_signature: 'c2Vh' }],
        },
        { role: 'user', parts: [{ function_response: { name: 'look_up', response: { some_key: 2 } } }] },
        { role: 'user', parts: [{ file_data: { file_uri: 'https://x.test/a.pdf', mime_type: 'application/pdf' } }] },
      ],
      tools: [{ function_declarations: [{ name: 'look_up', parameters_json_schema: { $defs: { some_def: {} } } }] }],
      tool_config: { function_calling_config: { mode: 'any', allowed_function_names: ['look_up'] } },
      generation_config: {
        max_output_tokens: 5,
        top_p: 0.5,
        stop_sequences: ['x'],
        response_mime_type: 'application/json',
        thinking_config: { thinking_budget: 100, include_thoughts: true },
      },
    }
    expect(parse(snake)).toEqual(parse(camel))
    expect(JSON.stringify(parse(snake))).toContain('some_key')
    expect(parse(snake).unknown).toEqual([])
  })

  it('may leave out lists around one thing', () => {
    const request = parse({
      systemInstruction: { parts: { text: 'Be kind.' } },
      contents: { parts: { text: 'Hello' } },
      tools: { functionDeclarations: { name: 'go' } },
    })
    expect(request.messages).toEqual([
      { role: 'system', parts: [{ type: 'text', text: 'Be kind.' }] },
      { role: 'user', parts: [{ type: 'text', text: 'Hello' }] },
    ])
    expect(request.tools).toEqual([{ name: 'go', parameters: null }])
  })

  it('carries every setting that others know', () => {
    const request = parse({
      generationConfig: {
        temperature: 0.3,
        topP: 0.9,
        topK: 40,
        maxOutputTokens: 99,
        stopSequences: ['a', 'b'],
        candidateCount: 2,
        seed: 7,
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        responseLogprobs: true,
        logprobs: 3,
        responseModalities: ['TEXT'],
      },
      labels: { team: 'blue' },
      serviceTier: 'flex',
    })
    expect(request).toMatchObject({
      temperature: 0.3,
      topP: 0.9,
      topK: 40,
      maxTokens: 99,
      stop: ['a', 'b'],
      candidates: 2,
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      logprobs: 3,
      metadata: { team: 'blue' },
      serviceTier: 'flex',
      unknown: [],
    })
    expect(parse({ serviceTier: 'standard' }).serviceTier).toBe('default')
    expect(parse({ generationConfig: { responseLogprobs: true } }).logprobs).toBe(0)
    expect(parse({ generationConfig: { logprobs: 3 } }).logprobs).toBeNull()
  })

  it('names what nobody else has', () => {
    const request = parse({
      contents: [
        ...HELLO,
        {
          role: 'model',
          parts: [{ executableCode: { code: '1' } }, { codeExecutionResult: { outcome: 'OUTCOME_OK' } }],
        },
        { role: 'user', parts: [{ text: 'and?', videoMetadata: { fps: 1 } }] },
        { role: 'model', parts: [{ functionCall: { name: 'go' } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'go', response: {}, scheduling: 'SILENT' } }] },
      ],
      tools: [{ googleSearch: {} }, { code_execution: {} }, { urlContext: {}, functionDeclarations: [{ name: 'go' }] }],
      toolConfig: { retrievalConfig: {}, functionCallingConfig: { mode: 'AUTO', streamFunctionCallArguments: true } },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_LOW_AND_ABOVE' }],
      generationConfig: { speechConfig: {}, responseModalities: ['IMAGE'], mediaResolution: 'MEDIA_RESOLUTION_LOW' },
    })
    expect(new Set(request.unknown)).toEqual(
      new Set([
        'safetySettings',
        'generationConfig.speechConfig',
        'generationConfig.responseModalities',
        'generationConfig.mediaResolution',
        'contents.parts.executableCode',
        'contents.parts.codeExecutionResult',
        'contents.parts.videoMetadata',
        'contents.parts.functionResponse.scheduling',
        'tools.googleSearch',
        'tools.codeExecution',
        'tools.urlContext',
        'toolConfig.retrievalConfig',
        'toolConfig.functionCallingConfig.streamFunctionCallArguments',
      ]),
    )
    expect(request.tools).toHaveLength(1)
  })

  it('loses nothing with filters that are switched off', () => {
    expect(parse({ safetySettings: [{ threshold: 'BLOCK_NONE' }, { threshold: 'OFF' }] }).unknown).toEqual([])
  })

  it.each<[Json, string]>([
    [{ contents: [] }, '`contents` is required'],
    [{ contents: 'Hello' }, '`contents` must be a list'],
    [{ contents: [{ role: 'system', parts: [] }] }, '`contents[0].role` must be one of user, model'],
    [{ contents: [{ parts: [{ text: 5 }] }] }, '`contents[0].parts[0].text` must be text'],
    [
      { contents: [{ parts: [{ inlineData: { data: 'x' } }] }] },
      '`contents[0].parts[0].inlineData.mimeType` is required',
    ],
    [{ contents: [{ parts: [{ fileData: {} }] }] }, '`contents[0].parts[0].fileData.fileUri` is required'],
    [
      { contents: [{ parts: [{ functionResponse: { name: 'go', response: {} } }] }] },
      '`contents[0].parts[0].functionResponse` answers no `functionCall` of the model turn before it',
    ],
    [{ systemInstruction: { parts: [{ inlineData: {} }] } }, '`systemInstruction.parts[0]` must be a text'],
    [{ generationConfig: { temperature: 'hot' } }, '`generationConfig.temperature` must be a number'],
    [{ generationConfig: { maxOutputTokens: 1.5 } }, '`generationConfig.maxOutputTokens` must be a whole number'],
    [{ generationConfig: { responseMimeType: 'image/png' } }, '`generationConfig.responseMimeType` must be one of'],
    [{ generationConfig: { thinkingConfig: { thinkingLevel: 'SOME' } } }, 'thinkingLevel` must be one of MINIMAL'],
    [{ toolConfig: { functionCallingConfig: { mode: 'MAYBE' } } }, 'functionCallingConfig.mode` must be one of AUTO'],
    [{ tools: [{ functionDeclarations: [{}] }] }, '`tools[0].functionDeclarations[0].name` is required'],
    [{ cachedContent: 'cachedContents/1' }, '`cachedContent` is kept by another provider'],
  ])('%j is refused: %s', (body, message) => {
    expect(() => parse(body)).toThrow(message)
  })
})

describe('parts', () => {
  it('are what their type says', () => {
    expect(
      partsOf([
        { text: 'Look' },
        { inlineData: { mimeType: 'image/webp', data: 'aaaa' } },
        { inlineData: { mimeType: 'audio/mp3', data: 'bbbb' } },
        { inlineData: { mimeType: 'application/pdf', data: 'cccc', displayName: 'a.pdf' } },
        { fileData: { fileUri: 'https://x.test/cat.jpg' } },
        { fileData: { fileUri: 'https://x.test/cat', mimeType: 'image/png' } },
        { fileData: { fileUri: 'https://x.test/paper.pdf?v=1' } },
      ]),
    ).toEqual([
      { type: 'text', text: 'Look' },
      { type: 'image', source: { kind: 'base64', mediaType: 'image/webp', data: 'aaaa' } },
      { type: 'audio', source: { kind: 'base64', mediaType: 'audio/mp3', data: 'bbbb' } },
      { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'cccc' }, name: 'a.pdf' },
      { type: 'image', source: { kind: 'url', url: 'https://x.test/cat.jpg' } },
      { type: 'image', source: { kind: 'url', url: 'https://x.test/cat', mediaType: 'image/png' } },
      { type: 'file', source: { kind: 'url', url: 'https://x.test/paper.pdf?v=1' } },
    ])
  })

  it('of a streamed answer, kept event by event, are one answer', () => {
    const { messages } = parse({
      contents: [
        ...HELLO,
        { role: 'model', parts: [{ text: 'I thi', thought: true }] },
        { role: 'model', parts: [{ text: 'nk.', thought: true }] },
        { role: 'model', parts: [{ text: 'An' }] },
        { role: 'model', parts: [{ text: 'swer' }] },
        { role: 'model', parts: [{ text: '', thoughtSignature: 'c2VhbA==' }] },
        { role: 'user', parts: [{ text: 'And?' }] },
      ],
    })
    expect(messages.slice(1)).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', text: 'I think.' },
          { type: 'text', text: 'Answer' },
          { type: 'reasoning', text: '', signature: 'c2VhbA==', sealedIn: 'gemini' },
        ],
      },
      { role: 'user', parts: [{ type: 'text', text: 'And?' }] },
    ])
  })

  it('sealed with the word that passes for any seal are not sealed', () => {
    const [call] = partsOf([{ functionCall: { name: 'go' }, thoughtSignature: ANY_SEAL }], 'model')
    expect(call).toEqual({ type: 'tool_call', id: 'call_0_0', name: 'go', arguments: '{}' })
  })
})

describe('calls and their results', () => {
  const call = (name: string, id?: string) => ({ functionCall: { name, args: { of: name }, ...(id && { id }) } })
  const result = (name: string, said: string, id?: string) => ({
    functionResponse: { name, response: { result: said }, ...(id && { id }) },
  })
  const pairs = (calls: Json[], results: Json[]) => {
    const { messages } = parse({
      contents: [...HELLO, { role: 'model', parts: calls }, { role: 'function', parts: results }],
    })
    const made = messages.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'tool_call' ? [part] : [])))
    const given = messages.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'tool_result' ? [part] : [])))
    return given.map(({ id, parts: [said] }) => [made.findIndex((one) => one.id === id), said])
  }
  const said = (text: string) => ({ type: 'text', text })

  it('without ids belong together by name and order', () => {
    expect(
      pairs(
        [call('weather'), call('time'), call('weather')],
        [result('weather', 'first'), result('weather', 'second'), result('time', 'noon')],
      ),
    ).toEqual([
      [0, said('first')],
      [2, said('second')],
      [1, said('noon')],
    ])
  })

  it('with ids belong together by them', () => {
    expect(
      pairs(
        [call('weather', 'a'), call('weather', 'b')],
        [result('weather', 'second', 'b'), result('weather', 'first', 'a')],
      ),
    ).toEqual([
      [1, said('second')],
      [0, said('first')],
    ])
  })

  it('belong together where a client kept the id on one side alone', () => {
    expect(pairs([call('weather', 'a')], [result('weather', 'x')])).toEqual([[0, said('x')]])
    expect(pairs([call('weather')], [result('weather', 'x', 'a')])).toEqual([[0, said('x')]])
  })

  it('keep their made ids while the conversation grows', () => {
    const contents = [
      ...HELLO,
      { role: 'model', parts: [call('weather')] },
      { role: 'user', parts: [result('weather', 'x')] },
    ]
    const longer = [
      ...contents,
      { role: 'model', parts: [call('weather')] },
      { role: 'user', parts: [result('weather', 'y')] },
    ]
    const before = parse({ contents }).messages
    const after = parse({ contents: longer }).messages
    expect(after.slice(0, before.length)).toEqual(before)
    const ids = after.flatMap(({ parts }) => parts.flatMap((part) => (part.type === 'tool_call' ? [part.id] : [])))
    expect(new Set(ids).size).toBe(2)
  })

  it('of an earlier turn that nobody answered are not answered later', () => {
    const { messages } = parse({
      contents: [
        ...HELLO,
        { role: 'model', parts: [call('weather')] },
        { role: 'user', parts: [{ text: 'never mind' }] },
        { role: 'model', parts: [call('weather')] },
        { role: 'user', parts: [result('weather', 'x')] },
      ],
    })
    expect(messages.at(-1)!.parts[0]).toMatchObject({ type: 'tool_result', id: 'call_3_0' })
  })

  it.each<[Json, string, boolean]>([
    [{ result: 'sunny' }, 'sunny', false],
    [{ output: { degrees: 15 } }, '{"degrees":15}', false],
    [{ error: 'no such town' }, 'no such town', true],
    [{ degrees: 15, wind: 'low' }, '{"degrees":15,"wind":"low"}', false],
    [{}, '{}', false],
  ])('the response %j says %j', (response, text, isError) => {
    const { messages } = parse({
      contents: [
        ...HELLO,
        { role: 'model', parts: [call('weather')] },
        { role: 'user', parts: [{ functionResponse: { name: 'weather', response } }] },
      ],
    })
    expect(messages.at(-1)!.parts).toEqual([
      { type: 'tool_result', id: 'call_1_0', name: 'weather', parts: [said(text)], ...(isError && { isError }) },
    ])
  })

  it('show pictures', () => {
    const shown = {
      ...result('weather', 'x').functionResponse,
      parts: [{ inlineData: { mimeType: 'image/png', data: 'aa' } }],
    }
    const { messages } = parse({
      contents: [
        ...HELLO,
        { role: 'model', parts: [call('weather')] },
        { role: 'user', parts: [{ functionResponse: shown }] },
      ],
    })
    expect(messages.at(-1)!.parts[0]).toMatchObject({
      parts: [said('x'), { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aa' } }],
    })
  })
})

describe('tools', () => {
  const toolOf = (declared: Json) => parse({ tools: [{ functionDeclarations: [declared] }] }).tools[0]!

  it('declared in the subset of OpenAPI have a JSON Schema', () => {
    expect(
      toolOf({
        name: 'book',
        description: 'Books a room',
        parameters: {
          type: 'OBJECT',
          properties: {
            type: { type: 'STRING', enum: ['single', 'double'], format: 'enum', nullable: true },
            nights: { type: 'INTEGER', minimum: 1, example: 2 },
            guests: {
              type: 'ARRAY',
              items: { type: 'OBJECT', properties: { name: { type: 'STRING' } } },
              maxItems: '4',
            },
            extra: { any_of: [{ type: 'STRING' }, { type: 'NUMBER' }], nullable: true },
            anything: { type: 'TYPE_UNSPECIFIED' },
          },
          required: ['type'],
          propertyOrdering: ['type', 'nights'],
        },
      }),
    ).toEqual({
      name: 'book',
      description: 'Books a room',
      parameters: {
        type: 'object',
        properties: {
          type: { type: ['string', 'null'], enum: ['single', 'double', null] },
          nights: { type: 'integer', minimum: 1, examples: [2] },
          guests: {
            type: 'array',
            items: { type: 'object', properties: { name: { type: 'string' } } },
            maxItems: 4,
          },
          extra: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }] },
          anything: {},
        },
        required: ['type'],
      },
    })
  })

  it('declared in JSON Schema keep it as it is', () => {
    const schema = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/a' } },
      $defs: { a: { type: ['string', 'null'] } },
    }
    expect(toolOf({ name: 'go', parametersJsonSchema: schema }).parameters).toEqual(schema)
  })

  it.each<[Json, unknown]>([
    [{ mode: 'AUTO' }, { type: 'auto' }],
    [{}, { type: 'auto' }],
    [{ mode: 'none' }, { type: 'none' }],
    [{ mode: 'ANY' }, { type: 'required' }],
    [
      { mode: 'ANY', allowedFunctionNames: ['a'] },
      { type: 'tools', names: ['a'], required: true },
    ],
    [{ mode: 'VALIDATED' }, { type: 'auto' }],
    [
      { mode: 'VALIDATED', allowedFunctionNames: ['a', 'b'] },
      { type: 'tools', names: ['a', 'b'], required: false },
    ],
  ])('chosen with %j: %j', (functionCallingConfig, choice) => {
    expect(parse({ toolConfig: { functionCallingConfig } }).toolChoice).toEqual(choice)
  })
})

describe('the format of the answer', () => {
  it.each<[Json, unknown]>([
    [{}, null],
    [{ responseMimeType: 'text/plain' }, { type: 'text' }],
    [{ responseMimeType: 'application/json' }, { type: 'json' }],
    [
      {
        responseMimeType: 'application/json',
        responseSchema: { type: 'OBJECT', properties: { a: { type: 'NUMBER' } } },
      },
      { type: 'schema', name: 'answer', schema: { type: 'object', properties: { a: { type: 'number' } } } },
    ],
    [
      { responseMimeType: 'application/json', responseJsonSchema: { type: 'object' } },
      { type: 'schema', name: 'answer', schema: { type: 'object' } },
    ],
  ])('%j is %j', (generationConfig, format) => {
    expect(parse({ generationConfig }).format).toEqual(format)
  })

  it('as one word of a list is named as lost', () => {
    const generationConfig = { responseMimeType: 'text/x.enum', responseSchema: { type: 'STRING', enum: ['a', 'b'] } }
    expect(parse({ generationConfig })).toMatchObject({ format: null, unknown: ['generationConfig.responseMimeType'] })
  })
})

describe('thinking', () => {
  it.each<[Json, unknown]>([
    [
      { thinkingBudget: 2000, includeThoughts: true },
      { effort: null, budgetTokens: 2000, shown: true },
    ],
    [{ thinkingBudget: 0 }, { effort: 'none', budgetTokens: null, shown: null }],
    [{ thinkingBudget: -1 }, { effort: 'medium', budgetTokens: null, shown: null }],
    [{ thinkingLevel: 'HIGH' }, { effort: 'high', budgetTokens: null, shown: null }],
    [
      { thinkingLevel: 'low', includeThoughts: false },
      { effort: 'low', budgetTokens: null, shown: false },
    ],
    [{ includeThoughts: true }, { effort: null, budgetTokens: null, shown: true }],
    [{ thinkingLevel: 'THINKING_LEVEL_UNSPECIFIED' }, { effort: null, budgetTokens: null, shown: null }],
  ])('%j is %j', (thinkingConfig, reasoning) => {
    expect(parse({ generationConfig: { thinkingConfig } }).reasoning).toEqual(reasoning)
  })
})
