import { describe, expect, it } from '@jest/globals'
import { anthropicMessages } from '../../../src/formats/anthropic-messages/index.ts'
import type { HubMessage, HubPart } from '../../../src/formats/hub.ts'
import { built, say } from '../samples.ts'

const write = (messages: HubMessage[], model = 'claude-haiku-4-5') => {
  const { body, lost } = built(anthropicMessages, { messages }, model)
  return { system: body.system, messages: body.messages, lost }
}
const written = (messages: HubMessage[], model?: string) => write(messages, model).messages
const user = (...parts: HubPart[]): HubMessage => ({ role: 'user', parts })
const assistant = (...parts: HubPart[]): HubMessage => ({ role: 'assistant', parts })
const system = (...parts: HubPart[]): HubMessage => ({ role: 'system', parts })
const call = (id: string, json = '{"a":1}'): HubPart => ({ type: 'tool_call', id, name: 'look', arguments: json })
const result = (id: string, ...parts: HubPart[]): HubPart => ({ type: 'tool_result', id, parts })
const text = (said: string) => ({ type: 'text', text: said })
const image = (mediaType: string): HubPart => ({ type: 'image', source: { kind: 'base64', mediaType, data: 'AAAA' } })
const file = (source: object, name?: string): HubPart => ({ type: 'file', source, ...(name && { name }) }) as HubPart

describe('instructions for a provider of messages', () => {
  it('are one, wherever they stood, developers’ like the system’s', () => {
    const messages: HubMessage[] = [
      { role: 'developer', parts: [say('A')] },
      user(say('Hello')),
      system(say('B'), say(' ')),
      assistant(say('Hi')),
      user(say('Go')),
    ]
    const { system: told, messages: turns } = write(messages)
    expect(told).toBe('A\nB')
    expect(turns).toMatchObject([{ role: 'user' }, { role: 'assistant' }, { role: 'user' }])
  })

  it('stay apart where there is something to be cached up to', () => {
    const cached: HubPart = { type: 'text', text: 'A', cache: { ttl: '1h' } }
    expect(write([system(cached), system(say('B')), user(say('C'))]).system).toEqual([
      { ...text('A'), cache_control: { type: 'ephemeral', ttl: '1h' } },
      text('B'),
    ])
  })

  it('are what is said where nobody says anything', () => {
    expect(write([system(say('A'))])).toMatchObject({
      system: undefined,
      messages: [{ role: 'user', content: [text('A')] }],
    })
  })

  it('show nothing, which is told', () => {
    expect(write([system(say('A'), image('image/png')), user(say('B'))])).toMatchObject({
      system: 'A',
      lost: ['part:image'],
    })
  })
})

describe('turns for a provider of messages', () => {
  it('take turns: what one says twice is one', () => {
    expect(written([user(say('A')), user(say('B')), assistant(say('C')), assistant(say('D')), user(say('E'))])).toEqual(
      [
        { role: 'user', content: [text('A'), text('B')] },
        { role: 'assistant', content: [text('C'), text('D')] },
        { role: 'user', content: [text('E')] },
      ],
    )
  })

  it('are not empty: nothing said is not said', () => {
    expect(written([user(say('A')), assistant(say('')), user(), user(say(' \n')), user(say('B'))])).toEqual([
      { role: 'user', content: [text('A'), text('B')] },
    ])
  })

  it('begin with the user', () => {
    expect(written([assistant(say('Hi')), user(say('Hello'))])).toMatchObject([
      { role: 'user' },
      { role: 'assistant' },
      { role: 'user' },
    ])
  })

  it('have all results directly behind the calls, first in their turn', () => {
    const messages = [
      user(say('Go')),
      assistant(say('Wait'), call('a'), call('b')),
      user(result('a', say('1'))),
      user(say('Also')),
      user(result('b', say('2'))),
    ]
    expect(written(messages)).toEqual([
      { role: 'user', content: [text('Go')] },
      {
        role: 'assistant',
        content: [text('Wait'), ...['a', 'b'].map((id) => ({ type: 'tool_use', id, name: 'look', input: { a: 1 } }))],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: [text('1')] },
          { type: 'tool_result', tool_use_id: 'b', content: [text('2')] },
          text('Also'),
        ],
      },
    ])
  })

  it('have ids of calls that are taken, each once', () => {
    const turns = written([
      assistant(call('functions.look:0')),
      user(result('functions.look:0', say('1'))),
      assistant(call('functions.look:0')),
      user(result('functions.look:0', say('2'))),
    ]) as { content: { type: string; id?: string; tool_use_id?: string }[] }[]
    const asked = turns.flatMap(({ content }) => content.flatMap((block) => block.id ?? []))
    const told = turns.flatMap(({ content }) => content.flatMap((block) => block.tool_use_id ?? []))
    expect(new Set(asked).size).toBe(2)
    expect(told).toEqual(asked)
    for (const id of asked) expect(id).toMatch(/^[\w-]+$/)
  })

  it('name nobody, which is told', () => {
    expect(write([{ ...user(say('A')), name: 'Alice' }]).lost).toEqual(['part:messages.name'])
  })

  it.each(['claude-3-haiku-20240307', 'claude-haiku-4-5', 'claude-opus-4-5'])(
    'may end with an answer that is begun, for %s without blanks at its end',
    (model) => {
      expect(write([user(say('Go')), assistant(say('{ \n'))], model)).toMatchObject({
        messages: [{ role: 'user' }, { role: 'assistant', content: [text('{')] }],
        lost: [],
      })
    },
  )

  it.each(['claude-opus-4-6', 'claude-sonnet-5', 'claude-fable-5'])(
    'end with the user for %s, which is told',
    (model) => {
      expect(write([user(say('Go')), assistant(say('{'))], model)).toMatchObject({
        messages: [{ role: 'user' }, { role: 'assistant' }, { role: 'user' }],
        lost: ['part:prefill'],
      })
    },
  )
})

describe('blocks for a provider of messages', () => {
  it('are text, pictures and documents', () => {
    const parts: HubPart[] = [
      { ...say('A'), cache: { ttl: '5m' } },
      { type: 'refusal', text: 'No' },
      { type: 'image', source: { kind: 'url', url: 'https://e.com/a.png' } },
      { ...image('image/png'), cache: { ttl: null } },
      image('image/jpg'),
      file({ kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' }, 'a.pdf'),
      file({ kind: 'base64', mediaType: 'text/csv', data: Buffer.from('a,b').toString('base64') }),
      file({ kind: 'text', text: 'Note' }),
      file({ kind: 'url', url: 'https://e.com/a.pdf' }),
    ]
    const { messages, lost } = write([user(...parts)])
    expect(lost).toEqual([])
    const base64 = (media_type: string) => ({ type: 'base64', media_type, data: 'AAAA' })
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          { ...text('A'), cache_control: { type: 'ephemeral', ttl: '5m' } },
          text('No'),
          { type: 'image', source: { type: 'url', url: 'https://e.com/a.png' } },
          { type: 'image', source: base64('image/png'), cache_control: { type: 'ephemeral' } },
          { type: 'image', source: base64('image/jpeg') },
          { type: 'document', source: base64('application/pdf'), title: 'a.pdf' },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a,b' } },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Note' } },
          { type: 'document', source: { type: 'url', url: 'https://e.com/a.pdf' } },
        ],
      },
    ])
  })

  it('are what they are, whatever the client calls them', () => {
    const pdf: HubPart = { type: 'image', source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' } }
    expect(written([user(pdf, file({ kind: 'base64', mediaType: 'image/png', data: 'AAAA' }))])).toMatchObject([
      { content: [{ type: 'document' }, { type: 'image' }] },
    ])
  })

  it.each<[string, HubPart, string]>([
    ['a sound', { type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: '' } }, 'part:audio'],
    ['a picture of a rare kind', image('image/svg+xml'), 'part:image'],
    ['a picture that another keeps', { type: 'image', source: { kind: 'file_id', id: 'f' } }, 'part:image'],
    ['a file that another keeps', file({ kind: 'file_id', id: 'f' }), 'part:file'],
    ['a file of a rare kind', file({ kind: 'base64', mediaType: 'application/zip', data: '' }), 'part:file'],
    ['a picture as a file of a rare kind', file({ kind: 'base64', mediaType: 'image/tiff', data: '' }), 'part:image'],
  ])('are told as lost where there is no place for them: %s', (_, part, what) => {
    expect(write([user(say('A'), part)])).toMatchObject({ messages: [{ content: [text('A')] }], lost: [what] })
  })

  it('are results with all that they show, errors among them', () => {
    const shown: HubPart = {
      type: 'tool_result',
      id: 'a',
      parts: [say('1'), say(''), image('image/png')],
      isError: true,
      cache: { ttl: null },
    }
    expect(written([user(shown, result('b'))])).toEqual([
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'a',
            content: [text('1'), { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }],
            is_error: true,
            cache_control: { type: 'ephemeral' },
          },
          { type: 'tool_result', tool_use_id: 'b', content: [] },
        ],
      },
    ])
  })

  it('are calls with an object, whatever the model wrote', () => {
    expect(written([assistant(call('a', ''), call('b', '{"a":'), call('c', '[1]')), user(say('A'))])).toMatchObject([
      { role: 'user' },
      { content: [{ input: {} }, { input: { raw_arguments: '{"a":' } }, { input: { raw_arguments: '[1]' } }] },
      { role: 'user' },
    ])
  })

  it('are thoughts with their own seal, and no others', () => {
    const thoughts: HubPart[] = [
      { type: 'reasoning', text: 'A', signature: 'S', sealedIn: 'anthropic-messages' },
      { type: 'reasoning', text: 'B', signature: 'T' },
      { type: 'reasoning', text: '', redacted: 'R' },
      { type: 'reasoning', text: 'C' },
      { type: 'reasoning', text: 'D', signature: 'U', sealedIn: 'gemini' },
      { type: 'reasoning', text: '', redacted: 'V', sealedIn: 'openai-responses' },
    ]
    expect(write([user(say('A')), assistant(...thoughts, say('B')), user(say('C'))])).toMatchObject({
      messages: [
        { role: 'user' },
        {
          content: [
            { type: 'thinking', thinking: 'A', signature: 'S' },
            { type: 'thinking', thinking: 'B', signature: 'T' },
            { type: 'redacted_thinking', data: 'R' },
            text('B'),
          ],
        },
        { role: 'user' },
      ],
      lost: [],
    })
  })
})
