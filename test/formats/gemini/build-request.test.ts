import { describe, expect, it } from '@jest/globals'
import type { DialectName, Json } from '../../../src/formats/dialect.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import { ANY_SEAL } from '../../../src/formats/gemini/seals.ts'
import type { HubMessage, HubPart, HubRequest, HubTool } from '../../../src/formats/hub.ts'
import { factsOf } from '../../../src/formats/model-facts.ts'
import { aRequest } from './project.ts'

const FLASH = 'gemini-2.5-flash'
const PRO = 'gemini-2.5-pro'
const THREE = 'gemini-3-flash-preview'

type Built = { body: Json; lost: string[] }
function build(given: Partial<HubRequest>, model = FLASH): Built {
  const lost: string[] = []
  const body = gemini.buildRequest(aRequest({ ...given, model }), factsOf(model), (what) => void lost.push(what))
  return { body, lost }
}
const configOf = (given: Partial<HubRequest>, model = FLASH) => build(given, model).body.generationConfig
const text = (said: string): HubPart => ({ type: 'text', text: said })
const user = (...parts: HubPart[]): HubMessage => ({ role: 'user', parts })
const assistant = (...parts: HubPart[]): HubMessage => ({ role: 'assistant', parts })
type Seal = { signature?: string; sealedIn?: DialectName }
const sealedBy = (sealedIn: DialectName, signature: string): Seal => ({ signature, sealedIn })
const own = (signature: string) => sealedBy('gemini', signature)
const call = (id: string, name = 'weather', json = '{}', seal: Seal = {}): HubPart => ({
  type: 'tool_call',
  id,
  name,
  arguments: json,
  ...seal,
})
const result = (id: string, ...parts: HubPart[]): HubPart => ({ type: 'tool_result', id, parts })
const contentsOf = (messages: HubMessage[], model = FLASH) => build({ messages }, model).body.contents
const weather: HubTool = {
  name: 'weather',
  description: 'Tells the weather',
  parameters: { type: 'object', properties: { town: { type: 'string' } } },
}

describe('the contents', () => {
  it('are turns of user and model, with all instructions hoisted out of them', () => {
    const { body } = build({
      messages: [
        { role: 'system', parts: [text('Be kind.')] },
        user(text('Hello')),
        user(text('there')),
        { role: 'developer', parts: [text('Be short.')] },
        assistant(text('Hi')),
        assistant(text('!')),
        user(text('Bye')),
      ],
    })
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'Be kind.\nBe short.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Hello' }, { text: 'there' }] },
        { role: 'model', parts: [{ text: 'Hi' }, { text: '!' }] },
        { role: 'user', parts: [{ text: 'Bye' }] },
      ],
    })
  })

  it('are the instructions where nobody says anything else', () => {
    const { body } = build({ messages: [{ role: 'system', parts: [text('Write a poem.')] }] })
    expect(body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Write a poem.' }] }] })
  })

  it('begin with the user, and are never empty', () => {
    expect(contentsOf([assistant(text('Welcome')), user(text('Hello'))])).toEqual([
      { role: 'user', parts: [{ text: '…' }] },
      { role: 'model', parts: [{ text: 'Welcome' }] },
      { role: 'user', parts: [{ text: 'Hello' }] },
    ])
    expect(contentsOf([user()])).toEqual([{ role: 'user', parts: [{ text: '' }] }])
  })

  it('merge what stands on both sides of an empty turn', () => {
    expect(contentsOf([user(text('a')), assistant(text('')), user(text('b'))])).toEqual([
      { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] },
    ])
  })

  it('show pictures, documents and sounds', () => {
    const { body, lost } = build({
      messages: [
        user(
          { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aaaa' } },
          { type: 'image', source: { kind: 'url', url: 'https://x.test/cat.webp?size=2' } },
          { type: 'image', source: { kind: 'url', url: 'https://x.test/cat' } },
          { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'bbbb' }, name: 'a.pdf' },
          { type: 'file', source: { kind: 'url', url: 'https://x.test/a.csv' } },
          {
            type: 'file',
            source: { kind: 'url', url: 'https://generativelanguage.googleapis.com/v1beta/files/abc-1' },
          },
          { type: 'file', source: { kind: 'text', text: 'Plain.' } },
          { type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'cccc' } },
        ),
      ],
    })
    expect((body.contents as { parts: Json[] }[])[0]!.parts).toEqual([
      { inlineData: { mimeType: 'image/png', data: 'aaaa' } },
      { fileData: { mimeType: 'image/webp', fileUri: 'https://x.test/cat.webp?size=2' } },
      { fileData: { mimeType: 'image/jpeg', fileUri: 'https://x.test/cat' } },
      { inlineData: { mimeType: 'application/pdf', data: 'bbbb' } },
      { fileData: { mimeType: 'text/csv', fileUri: 'https://x.test/a.csv' } },
      { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc-1' } },
      { text: 'Plain.' },
      { inlineData: { mimeType: 'audio/wav', data: 'cccc' } },
    ])
    expect(lost).toEqual([])
  })

  it('cannot show what another provider keeps, and say so', () => {
    const { body, lost } = build({
      messages: [
        user(text('See'), { type: 'file', source: { kind: 'file_id', id: 'file-1' } }),
        { ...user({ type: 'image', source: { kind: 'file_id', id: 'file-2' }, detail: 'high' }), name: 'Ann' },
      ],
    })
    expect(body.contents).toEqual([{ role: 'user', parts: [{ text: 'See' }] }])
    expect(new Set(lost)).toEqual(new Set(['part:file', 'part:image', 'part:image.detail', 'part:messages.name']))
  })
})

describe('calls and results', () => {
  it('stand in one turn each, results first and in the order of the calls', () => {
    const contents = contentsOf([
      user(text('Weather?')),
      assistant(text('I look.'), call('b', 'weather', '{"town":"Rome"}'), call('a', 'time')),
      user(result('a', text('noon'))),
      user(text('Hurry'), result('b', text('{"degrees":15}'))),
    ])
    expect(contents).toEqual([
      { role: 'user', parts: [{ text: 'Weather?' }] },
      {
        role: 'model',
        parts: [
          { text: 'I look.' },
          { functionCall: { id: 'b', name: 'weather', args: { town: 'Rome' } } },
          { functionCall: { id: 'a', name: 'time', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'b', name: 'weather', response: { degrees: 15 } } },
          { functionResponse: { id: 'a', name: 'time', response: { result: 'noon' } } },
          { text: 'Hurry' },
        ],
      },
    ])
  })

  it('whose ids come again in a later turn go by the calls of their own turn', () => {
    const turn = (names: [string, string]): HubMessage[] => [
      assistant(call('1', names[0]), call('2', names[1])),
      user(result('2', text('x')), result('1', text('y'))),
    ]
    const contents = contentsOf([user(text('Go')), ...turn(['a', 'b']), ...turn(['c', 'd'])]) as { parts: Json[] }[]
    const names = contents.map(({ parts }) =>
      parts.flatMap((part) => (part.functionResponse ? [(part.functionResponse as Json).name] : [])),
    )
    expect(names).toEqual([[], [], ['a', 'b'], [], ['c', 'd']])
  })

  it.each([
    ['sunny', { result: 'sunny' }],
    ['', { result: '' }],
    ['[1,2]', { result: '[1,2]' }],
    ['{"a":1}', { a: 1 }],
    [' {"a": {"b": null}} ', { a: { b: null } }],
    ['{"a":', { result: '{"a":' }],
    ['{"result":"x"}', { result: '{"result":"x"}' }],
    ['{"id":12345678901234567890}', { result: '{"id":12345678901234567890}' }],
  ])('the result %j is the object %j', (said, response) => {
    const contents = contentsOf([user(text('?')), assistant(call('a')), user(result('a', text(said)))]) as {
      parts: Json[]
    }[]
    expect(contents[2]!.parts[0]).toEqual({ functionResponse: { id: 'a', name: 'weather', response } })
  })

  it('that failed say so', () => {
    const failed = { ...result('a', text('no such town')), isError: true } as HubPart
    const contents = contentsOf([user(text('?')), assistant(call('a')), user(failed)]) as { parts: Json[] }[]
    expect(contents[2]!.parts[0]).toMatchObject({ functionResponse: { response: { error: 'no such town' } } })
  })

  it('keep what a model wrote where its arguments are broken', () => {
    const contents = contentsOf([user(text('?')), assistant(call('a', 'weather', '{"town":'))]) as { parts: Json[] }[]
    expect(contents[1]!.parts[0]).toMatchObject({ functionCall: { args: { raw_arguments: '{"town":' } } })
  })

  it('show pictures inside where the model takes them so, and beside where it does not', () => {
    const png: HubPart = { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aa' } }
    const gif: HubPart = { type: 'image', source: { kind: 'base64', mediaType: 'image/gif', data: 'bb' } }
    const messages = [user(text('?')), assistant(call('a')), user(result('a', text('Look'), png, gif))]
    const [inside, beside] = [THREE, FLASH].map(
      (model) => (contentsOf(messages, model) as { parts: Json[] }[])[2]!.parts,
    )
    expect(inside).toEqual([
      {
        functionResponse: {
          id: 'a',
          name: 'weather',
          response: { result: 'Look' },
          parts: [{ inlineData: { mimeType: 'image/png', data: 'aa' } }],
        },
      },
      { inlineData: { mimeType: 'image/gif', data: 'bb' } },
    ])
    expect(beside).toEqual([
      { functionResponse: { id: 'a', name: 'weather', response: { result: 'Look' } } },
      { inlineData: { mimeType: 'image/png', data: 'aa' } },
      { inlineData: { mimeType: 'image/gif', data: 'bb' } },
    ])
  })
})

describe('seals', () => {
  const sealsOf = (parts: HubPart[], model = THREE) =>
    (contentsOf([user(text('?')), assistant(...parts)], model) as { parts: Json[] }[])[1]!.parts.map(
      ({ text: said, functionCall, thoughtSignature }) => [said ?? (functionCall as Json).id, thoughtSignature ?? null],
    )
  const thought = (said: string, seal: Seal = {}): HubPart => ({ type: 'reasoning', text: said, ...seal })

  it('of calls go back with their calls', () => {
    expect(sealsOf([call('a', 'weather', '{}', own('c2Vh')), call('b')])).toEqual([
      ['a', 'c2Vh'],
      ['b', null],
    ])
  })

  it('that nobody knows are replaced by the word that passes for any, at the first call of each turn', () => {
    expect(sealsOf([call('a'), call('b')])).toEqual([
      ['a', ANY_SEAL],
      ['b', null],
    ])
    expect(Buffer.from(ANY_SEAL, 'base64').toString()).toBe('skip_thought_signature_validator')
    expect(ANY_SEAL).toBe('c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=')
  })

  it('are not made up for models that do not seal their calls', () => {
    expect(sealsOf([call('a')], FLASH)).toEqual([['a', null]])
  })

  it('of texts go back on their texts, wherever a client kept them', () => {
    const expected = [['Hello', 'c2Vh']]
    expect(sealsOf([text('Hello'), thought('', own('c2Vh'))])).toEqual(expected)
    expect(sealsOf([thought('', own('c2Vh')), text('Hello')])).toEqual(expected)
    expect(sealsOf([thought('Hm.', own('c2Vh')), text('Hello')])).toEqual(expected)
    expect(sealsOf([thought('Hm.'), text('Hello'), thought('', own('c2Vh'))])).toEqual(expected)
  })

  it('of calls that a client kept in the thought before go back on the call', () => {
    expect(sealsOf([text('I look.'), thought('', own('c2Vh')), call('a'), call('b')])).toEqual([
      ['I look.', null],
      ['a', 'c2Vh'],
      ['b', null],
    ])
    expect(sealsOf([text('I look.'), thought('', own('dGV4')), thought('', own('c2Vh')), call('a')])).toEqual([
      ['I look.', 'dGV4'],
      ['a', 'c2Vh'],
    ])
  })

  it('without anything to stand on stand alone', () => {
    expect(sealsOf([call('a', 'weather', '{}', own('Y2Fs')), thought('', own('c2Vh'))])).toEqual([
      ['a', 'Y2Fs'],
      ['', 'c2Vh'],
    ])
  })

  it('of others are not sent, nor are thoughts without one', () => {
    expect(
      sealsOf([
        thought('Hm.', sealedBy('anthropic-messages', 'EqoBCkgIBRABGAIiQL')),
        { type: 'reasoning', text: '', redacted: 'abc', sealedIn: 'anthropic-messages' },
        thought('Hm.'),
        text('Hello'),
        call('a', 'weather', '{}', sealedBy('openai-chat', 'gAAA')),
      ]),
    ).toEqual([
      ['Hello', null],
      ['a', ANY_SEAL],
    ])
  })
})

describe('settings', () => {
  it('have their names here', () => {
    const { body, lost } = build({
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stop: ['a', 'b'],
      seed: 7,
      candidates: 2,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      logprobs: 3,
      serviceTier: 'default',
    })
    expect(body).toMatchObject({
      generationConfig: {
        maxOutputTokens: 100,
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        stopSequences: ['a', 'b'],
        candidateCount: 2,
        seed: 7,
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        responseLogprobs: true,
        logprobs: 3,
      },
      serviceTier: 'standard',
    })
    expect(lost).toEqual([])
    expect(body).not.toHaveProperty('model')
    expect(body).not.toHaveProperty('stream')
  })

  it('keep within their bounds', () => {
    expect(configOf({ temperature: 2.7 })).toEqual({ temperature: 2 })
    expect(configOf({ temperature: -1 })).toEqual({ temperature: 0 })
    expect(configOf({ logprobs: 0 })).toEqual({ responseLogprobs: true })
    const many = build({ stop: ['1', '', '2', '3', '4', '5', '6'] })
    expect(many).toMatchObject({
      body: { generationConfig: { stopSequences: ['1', '2', '3', '4', '5'] } },
      lost: ['stop'],
    })
    expect(build({ seed: 2 ** 40 })).toMatchObject({ lost: ['seed'] })
    expect(build({ seed: 2 ** 40 }).body).not.toHaveProperty('generationConfig')
  })

  it('without a place are lost by name', () => {
    const { lost } = build({
      tools: [weather],
      parallelToolCalls: false,
      logitBias: { 5: 1 },
      user: 'ann',
      metadata: { a: 'b' },
      serviceTier: 'scale',
    })
    expect(new Set(lost)).toEqual(new Set(['parallelToolCalls', 'logitBias', 'user', 'metadata', 'serviceTier']))
    expect(build({ parallelToolCalls: true, tools: [weather] }).lost).toEqual([])
    expect(build({ serviceTier: 'auto' })).toMatchObject({ lost: [] })
  })

  it.each([
    ['flex', 'flex'],
    ['fast', 'priority'],
    ['priority', 'priority'],
  ])('the service tier %s is %s', (given, tier) => {
    expect(build({ serviceTier: given }).body.serviceTier).toBe(tier)
  })
})

describe('tools', () => {
  const declaredOf = (tools: HubTool[]) =>
    (build({ tools }).body.tools as { functionDeclarations: Json[] }[]).map((one) => one.functionDeclarations)

  it('stand in one declaration, each with a description and a JSON Schema where it takes anything', () => {
    expect(
      declaredOf([
        weather,
        { name: 'now', parameters: { type: 'object', properties: {}, additionalProperties: false, required: [] } },
        { name: 'go', parameters: null },
        { name: 'any', parameters: { type: 'object', additionalProperties: true } },
        { name: 'bare', parameters: { properties: { a: {} } } },
      ]),
    ).toEqual([
      [
        { name: 'weather', description: 'Tells the weather', parametersJsonSchema: weather.parameters },
        { name: 'now', description: '' },
        { name: 'go', description: '' },
        { name: 'any', description: '', parametersJsonSchema: { type: 'object', additionalProperties: true } },
        { name: 'bare', description: '', parametersJsonSchema: { type: 'object', properties: { a: {} } } },
      ],
    ])
  })

  it('have names that are taken, the same wherever a tool is named', () => {
    const long = `mcp__${'x'.repeat(100)}`
    const { body } = build({
      tools: [
        { name: long, parameters: null },
        { name: '7 days', parameters: null },
      ],
      toolChoice: { type: 'tools', names: [long], required: true },
      messages: [
        user(text('?')),
        assistant(call('a', long)),
        user({ ...result('a', text('x')), name: long } as HubPart),
      ],
    })
    const [{ functionDeclarations: declared }] = body.tools as [{ functionDeclarations: { name: string }[] }]
    for (const { name } of declared) expect(name).toMatch(/^[a-z_][a-z0-9_:.-]{0,63}$/i)
    const name = declared[0]!.name
    expect(JSON.stringify(body).split(`"${name}"`)).toHaveLength(5)
    expect(JSON.stringify(body)).not.toContain(long)
  })

  it.each<[HubRequest['toolChoice'], unknown]>([
    [null, undefined],
    [{ type: 'auto' }, undefined],
    [{ type: 'none' }, { mode: 'NONE' }],
    [{ type: 'required' }, { mode: 'ANY' }],
    [
      { type: 'tools', names: ['weather'], required: true },
      { mode: 'ANY', allowedFunctionNames: ['weather'] },
    ],
    [
      { type: 'tools', names: ['weather'], required: false },
      { mode: 'VALIDATED', allowedFunctionNames: ['weather'] },
    ],
  ])('are chosen as %j: %j', (toolChoice, functionCallingConfig) => {
    expect(build({ tools: [weather], toolChoice }).body.toolConfig).toEqual(
      functionCallingConfig && { functionCallingConfig },
    )
  })

  it('that keep to their schemas do', () => {
    const strict = { ...weather, strict: true }
    expect(build({ tools: [strict] }).body.toolConfig).toEqual({ functionCallingConfig: { mode: 'VALIDATED' } })
    expect(build({ tools: [strict], toolChoice: { type: 'none' } }).body.toolConfig).toEqual({
      functionCallingConfig: { mode: 'NONE' },
    })
  })

  it('that are not there are not chosen', () => {
    expect(build({ toolChoice: { type: 'none' } }).body).not.toHaveProperty('toolConfig')
  })
})

describe('the format of the answer', () => {
  const schema = { type: 'object', properties: { a: { type: 'number', minimum: 1 } } }
  const format = { type: 'schema', name: 'answer', schema, strict: true, description: 'An answer' } as const

  it('is JSON, or JSON of a schema', () => {
    expect(configOf({ format: { type: 'json' } })).toEqual({ responseMimeType: 'application/json' })
    expect(configOf({ format })).toEqual({
      responseMimeType: 'application/json',
      responseJsonSchema: { description: 'An answer', ...schema },
    })
    expect(build({ format: { type: 'text' } }).body).not.toHaveProperty('generationConfig')
  })

  it('goes with tools where the model takes both, and is asked for in words where it does not', () => {
    const newer = build({ format, tools: [weather] }, THREE)
    expect(newer).toMatchObject({ body: { generationConfig: { responseMimeType: 'application/json' } }, lost: [] })
    const older = build({ format, tools: [weather] }, FLASH)
    expect(older.lost).toEqual(['format'])
    expect(older.body).not.toHaveProperty('generationConfig')
    expect(JSON.stringify(older.body.systemInstruction)).toContain('It must keep to this JSON Schema')
  })
})

describe('thinking', () => {
  const thinking = (model: string, reasoning: Partial<HubRequest['reasoning'] & object>) => {
    const { body, lost } = build({ reasoning: { effort: null, budgetTokens: null, shown: null, ...reasoning } }, model)
    return [(body.generationConfig as Json | undefined)?.thinkingConfig, lost]
  }
  const shown = { includeThoughts: true }

  it.each<[string, Partial<HubRequest['reasoning'] & object>, unknown, string[]]>([
    [FLASH, { effort: 'high' }, { ...shown, thinkingBudget: 16_384 }, []],
    [FLASH, { effort: 'max' }, { ...shown, thinkingBudget: 24_576 }, []],
    [FLASH, { budgetTokens: 2_000, shown: false }, { includeThoughts: false, thinkingBudget: 2_000 }, []],
    [FLASH, { effort: 'none' }, { thinkingBudget: 0 }, []],
    [FLASH, { shown: true }, shown, []],
    ['gemini-2.5-flash-lite', { budgetTokens: 100 }, { ...shown, thinkingBudget: 512 }, []],
    [PRO, { effort: 'max' }, { ...shown, thinkingBudget: 32_768 }, []],
    [PRO, { effort: 'none' }, { thinkingBudget: 128 }, ['reasoning']],
    [PRO, { budgetTokens: 0 }, { thinkingBudget: 128 }, ['reasoning']],
    [THREE, { effort: 'minimal' }, { ...shown, thinkingLevel: 'MINIMAL' }, []],
    [THREE, { effort: 'xhigh' }, { ...shown, thinkingLevel: 'HIGH' }, []],
    [THREE, { budgetTokens: 3_000 }, { ...shown, thinkingLevel: 'LOW' }, []],
    [THREE, { effort: 'none' }, { thinkingLevel: 'MINIMAL' }, ['reasoning']],
    ['gemini-3-pro-preview', { effort: 'minimal' }, { ...shown, thinkingLevel: 'LOW' }, []],
    ['gemini-3.1-pro-preview', { effort: 'none' }, { thinkingLevel: 'LOW' }, ['reasoning']],
    ['gemini-2.0-flash', { effort: 'high' }, undefined, ['reasoning']],
    ['gemini-2.0-flash', { effort: 'none' }, undefined, []],
  ])('%s asked for %j is told %j, and loses %j', (model, reasoning, config, lost) => {
    expect(thinking(model, reasoning)).toEqual([config, lost])
  })

  it('is left to the model where nothing is said of it', () => {
    expect(build({}).body).not.toHaveProperty('generationConfig')
  })
})
