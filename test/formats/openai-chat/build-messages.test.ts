import { describe, expect, it } from '@jest/globals'
import type { Json } from '../../../src/formats/dialect.ts'
import type { HubMessage, HubPart } from '../../../src/formats/hub.ts'
import { openaiChat } from '../../../src/formats/openai-chat/index.ts'
import { built, say } from '../samples.ts'

const write = (messages: HubMessage[], model = 'gpt-4o') => {
  const { body, lost } = built(openaiChat, { messages }, model)
  return { messages: body.messages, lost }
}
const written = (messages: HubMessage[], model?: string) => write(messages, model).messages
const user = (...parts: HubPart[]): HubMessage => ({ role: 'user', parts })
const assistant = (...parts: HubPart[]): HubMessage => ({ role: 'assistant', parts })
const call = (id: string, more = {}): HubPart => ({
  type: 'tool_call',
  id,
  name: 'look',
  arguments: '{"a":1}',
  ...more,
})
const result = (id: string, ...parts: HubPart[]) => ({ type: 'tool_result' as const, id, parts })
const picture: HubPart = { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } }
const PICTURE = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }

describe('messages for a provider of chats', () => {
  it('keep instructions where they stand, as developers’ only where the model knows them', () => {
    const messages: HubMessage[] = [
      { role: 'developer', parts: [say('A')] },
      user(say('B')),
      { role: 'system', parts: [say('C')] },
    ]
    expect(written(messages, 'gpt-5')).toMatchObject([{ role: 'developer' }, { role: 'user' }, { role: 'system' }])
    for (const model of ['gpt-4o', 'deepseek-chat', 'mistral-large-latest'])
      expect(written(messages, model)).toMatchObject([{ role: 'system' }, { role: 'user' }, { role: 'system' }])
  })

  it('are plain text where they are nothing else: some take nothing else', () => {
    expect(written([user(say('A'), say('B')), assistant(say('C'), say('D')), user()])).toEqual([
      { role: 'user', content: 'A\nB' },
      { role: 'assistant', content: 'CD' },
      { role: 'user', content: '' },
    ])
  })

  it('name their speaker', () => {
    expect(written([{ ...user(say('A')), name: 'Alice' }])).toEqual([{ role: 'user', name: 'Alice', content: 'A' }])
  })

  it('put results directly behind the calls, and what the user says behind the results', () => {
    const messages = [
      user(say('Go')),
      assistant(say('Wait'), call('a'), call('b')),
      user(say('Also'), result('a', say('1')), result('b', say('2'), say('3'))),
    ]
    expect(written(messages)).toEqual([
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        content: 'Wait',
        tool_calls: ['a', 'b'].map((id) => ({
          id,
          type: 'function',
          function: { name: 'look', arguments: '{"a":1}' },
        })),
      },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'tool', tool_call_id: 'b', content: '2\n3' },
      { role: 'user', content: 'Also' },
    ])
  })

  it('let the model say something between a result and the user where it would not hear him otherwise', () => {
    const messages = [
      user(say('Go')),
      assistant(call('a')),
      user(result('a', say('1')), say('Also')),
      assistant(call('b')),
      user(result('b', say('2'))),
      assistant(say('Fine')),
      user(say('Thanks')),
    ]
    const roles = (model: string) => (written(messages, model) as { role: string }[]).map(({ role }) => role)
    const between = ['user', 'assistant', 'tool', 'assistant', 'user', 'assistant', 'tool', 'assistant', 'user']
    expect(roles('mistral-large-latest')).toEqual(between)
    expect(roles('gpt-4o')).toEqual(between.toSpliced(3, 1))
  })

  it('take what is said between calls and results for said with the calls', () => {
    expect(written([assistant(call('a')), assistant(say('Hm')), user(result('a', say('1')))])).toMatchObject([
      { role: 'assistant', content: 'Hm', tool_calls: [{ id: 'a' }] },
      { role: 'tool', tool_call_id: 'a' },
    ])
  })

  it('show pictures of results behind all of the results', () => {
    expect(written([user(result('a', picture), result('b', say('2'), picture), say('Look'))])).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'The result is in the next message.' },
      { role: 'tool', tool_call_id: 'b', content: '2' },
      { role: 'user', content: [PICTURE, PICTURE, { type: 'text', text: 'Look' }] },
    ])
  })

  it('say that a result is an error, where its text does not', () => {
    const contentOf = (text: string) =>
      (written([user({ ...result('a', say(text)), isError: true })]) as { content: string }[])[0]!.content
    expect(contentOf('Not found')).toBe('Error: Not found')
    expect(contentOf('<tool_use_error>No</tool_use_error>')).toBe('<tool_use_error>No</tool_use_error>')
    expect(contentOf('TypeError: x')).toBe('TypeError: x')
  })

  it('give ids of calls that are taken, to calls and results alike', () => {
    const id = 'toolu_'.padEnd(60, 'x')
    const [asked, told] = written([assistant(call(id)), user(result(id, say('1')))]) as [
      { tool_calls: { id: string }[] },
      { tool_call_id: string },
    ]
    expect(asked.tool_calls[0]!.id.length).toBeLessThanOrEqual(40)
    expect(told.tool_call_id).toBe(asked.tool_calls[0]!.id)
    expect(written([assistant(call(id))], 'llama-3.3-70b')).toMatchObject([{ tool_calls: [{ id }] }])
    expect(JSON.stringify(written([assistant(call(id))], 'mistral-small-latest'))).toMatch(/"id":"[a-zA-Z0-9]{9}"/)
  })

  it('say of an assistant what it refused, and nothing where it only called', () => {
    expect(
      written([assistant({ type: 'refusal', text: 'No' }), assistant(call('a', { arguments: '' })), assistant()]),
    ).toEqual([
      { role: 'assistant', content: null, refusal: 'No' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
    ])
  })
})

describe('parts of messages for a provider of chats', () => {
  it('are text, pictures, sounds and files', () => {
    const parts: HubPart[] = [
      say('A'),
      { type: 'image', source: { kind: 'url', url: 'https://e.com/a.png' }, detail: 'low' },
      picture,
      { type: 'audio', source: { kind: 'base64', mediaType: 'audio/mpeg', data: 'AAAA' } },
      { type: 'audio', source: { kind: 'base64', mediaType: 'audio/x-wav', data: 'AAAA' } },
      { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' } },
      { type: 'file', source: { kind: 'file_id', id: 'file-1' }, name: 'a' },
      { type: 'refusal', text: 'No' },
    ]
    const { messages, lost } = write([user(...parts)])
    expect(lost).toEqual([])
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'A' },
          { type: 'image_url', image_url: { url: 'https://e.com/a.png', detail: 'low' } },
          PICTURE,
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
          { type: 'file', file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
          { type: 'file', file: { file_id: 'file-1' } },
          { type: 'text', text: 'No' },
        ],
      },
    ])
  })

  it('are text where a file is text, with its name', () => {
    const data = Buffer.from('a,b').toString('base64')
    const csv = (name?: string): HubPart => ({
      type: 'file',
      source: { kind: 'base64', mediaType: 'text/csv', data },
      ...(name && { name }),
    })
    const note: HubPart = { type: 'file', source: { kind: 'text', text: 'Note' }, name: 'n.txt' }
    expect(written([user(csv(), csv('t.csv'), note)])).toEqual([
      { role: 'user', content: 'a,b\nt.csv\n\na,b\nn.txt\n\nNote' },
    ])
  })

  it('are pictures where a file is one', () => {
    const file: HubPart = { type: 'file', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } }
    expect(written([user(file)])).toEqual([{ role: 'user', content: [PICTURE] }])
  })

  it.each<[string, HubPart, string]>([
    ['a file by its address', { type: 'file', source: { kind: 'url', url: 'https://e.com/a.pdf' } }, 'part:file'],
    ['a picture that another keeps', { type: 'image', source: { kind: 'file_id', id: 'f' } }, 'part:image'],
    [
      'a sound of a rare kind',
      { type: 'audio', source: { kind: 'base64', mediaType: 'audio/ogg', data: '' } },
      'part:audio',
    ],
  ])('are told as lost where there is no place for them: %s', (_, part, what) => {
    expect(write([user(say('A'), part)])).toEqual({ messages: [{ role: 'user', content: 'A' }], lost: [what] })
  })

  it('mark what is to be cached where the model follows marks', () => {
    const cached: HubMessage[] = [
      { role: 'system', parts: [{ ...say('A'), cache: { ttl: '1h' } }] },
      user({ ...picture, cache: { ttl: null } }),
    ]
    expect(written(cached, 'anthropic/claude-sonnet-4.5')).toEqual([
      { role: 'system', content: [{ type: 'text', text: 'A', cache_control: { type: 'ephemeral', ttl: '1h' } }] },
      { role: 'user', content: [{ ...PICTURE, cache_control: { type: 'ephemeral' } }] },
    ])
    expect(JSON.stringify(written(cached, 'gpt-4o'))).not.toContain('cache_control')
  })
})

describe('thoughts for a provider of chats', () => {
  const thought: HubPart = { type: 'reasoning', text: 'Hm', signature: 'S', sealedIn: 'anthropic-messages' }

  it('go back sealed to the models whose seals they are, and to nobody else', () => {
    const messages = [
      assistant(
        thought,
        { type: 'reasoning', text: '', redacted: 'R', id: 'rs_1', sealedIn: 'openai-chat' },
        call('a', { signature: 'C', sealedIn: 'gemini' }),
      ),
    ]
    // Whose it is the provider has not said: it may be its own.
    const unknown = { type: 'reasoning.encrypted', data: 'R', id: 'rs_1', format: 'unknown' }
    const details = (model: string) => (written(messages, model) as Json[])[0]!.reasoning_details
    expect(details('anthropic/claude-sonnet-4.5')).toEqual([
      { type: 'reasoning.text', text: 'Hm', signature: 'S', format: 'anthropic-claude-v1', index: 0 },
      { ...unknown, index: 1 },
    ])
    expect(details('google/gemini-3-pro-preview')).toEqual([
      { ...unknown, index: 0 },
      { type: 'reasoning.encrypted', data: 'C', id: 'a', format: 'google-gemini-v1', index: 1 },
    ])
    for (const model of ['gpt-4o', 'mistral-small-latest', 'llama-3.3-70b'])
      expect(JSON.stringify(written(messages, model))).not.toContain('reasoning')
  })

  it('go back in plain text to models that want them with their calls', () => {
    expect(
      written([assistant(thought, call('a')), assistant(call('b')), assistant(say('B'))], 'deepseek-reasoner'),
    ).toMatchObject([{ reasoning_content: 'Hm', tool_calls: [{ id: 'a' }, { id: 'b' }], content: 'B' }])
    const apart = written(
      [assistant(call('a')), user(result('a', say('1'))), assistant(thought, say('B'))],
      'kimi-k2.5',
    )
    expect(apart).toMatchObject([
      { reasoning_content: '' },
      { role: 'tool' },
      { reasoning_content: 'Hm', content: 'B' },
    ])
  })
})
