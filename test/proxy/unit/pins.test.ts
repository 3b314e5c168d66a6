import { describe, expect, it } from '@jest/globals'
import { placeOf } from '../../../src/proxy/pins/collections.ts'
import { createPins } from '../../../src/proxy/pins/pins.ts'
import { readEventObjects, readJsonObjects } from '../../../src/proxy/pins/read-objects.ts'
import { referencesIn } from '../../../src/proxy/pins/references.ts'
import type { Pin, PinChange, PinStore } from '../../../src/store/store.ts'

const aPin = (objectId: string, projectId = 'proj_a'): Pin => ({
  objectId,
  projectId,
  provider: 'openai',
  keyId: 'shared',
  createdAt: 0,
  expiresAt: null,
})
const made = (objectId: string, projectId?: string): PinChange => ({ kind: 'made', pin: aPin(objectId, projectId) })
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A store that can be broken; what it holds, and what it was asked for. */
function aStore() {
  const held = new Map<string, Pin>()
  const asked: string[][] = []
  const batches: number[] = []
  const state = { broken: false }
  const store: PinStore = {
    find: async (ids) => {
      asked.push([...ids])
      return ids.flatMap((id) => held.get(id) ?? [])
    },
    apply: async (changes) => {
      if (state.broken) throw new Error('disk full')
      batches.push(changes.length)
      for (const { kind, pin } of changes) {
        if (kind === 'forgotten') held.delete(pin.objectId)
        else held.set(pin.objectId, pin)
      }
    },
    deleteExpired: async () => 0,
  }
  return { store, held, asked, batches, state }
}

describe('what is known of objects', () => {
  const given = (more: Partial<Parameters<typeof createPins>[0]> = {}) => {
    const failures: { waiting: number; lost: number }[] = []
    const fake = aStore()
    const onFailure = (_error: unknown, waiting: number, lost: number) => void failures.push({ waiting, lost })
    return { ...fake, failures, pins: createPins({ store: fake.store, now: () => 0, onFailure, ...more }) }
  }

  it('holds at once, and is written together with all of the same turn', async () => {
    const { pins, batches, held } = given()
    for (let i = 0; i < 50; i++) pins.note(made(`file-${i}`))
    expect(await pins.find(['file-3', 'file-none'])).toEqual([aPin('file-3')])
    await new Promise<void>((resolve) => pins.whenKept(resolve))
    expect([batches, held.size]).toEqual([[50], 50])
    await pins.close()
  })

  it('keeps nobody waiting where nothing is to be written', async () => {
    const { pins } = given()
    let called = false
    pins.whenKept(() => {
      called = true
    })
    expect(called).toBe(true)
    await pins.close()
  })

  it('is read from the store once, and from memory then, as far as memory may go', async () => {
    const { pins, held, asked } = given({ maxCached: 2 })
    for (const id of ['a', 'b', 'c']) held.set(id, aPin(id))
    await pins.find(['a'])
    await pins.find(['a'])
    expect(asked).toEqual([['a']])
    await pins.find(['b', 'c'])
    await pins.find(['a'])
    expect(asked).toEqual([['a'], ['b', 'c'], ['a']])
    // Another process may make it at any moment.
    await pins.find(['none'])
    await pins.find(['none'])
    expect(asked.slice(-2)).toEqual([['none'], ['none']])
    await pins.close()
  })

  it('forgets what was deleted, also what memory had', async () => {
    const { pins, held } = given()
    held.set('a', aPin('a'))
    await pins.find(['a'])
    pins.note({ kind: 'forgotten', pin: aPin('a') })
    expect(await pins.find(['a'])).toEqual([])
    await new Promise<void>((resolve) => pins.whenKept(resolve))
    expect(await pins.find(['a'])).toEqual([])
    await pins.close()
  })

  it('does not give an object to who only saw it, before it is written as little as after', async () => {
    const { pins } = given()
    pins.note(made('a'))
    pins.note({ kind: 'seen', pin: aPin('a', 'proj_b') })
    expect(await pins.find(['a'])).toEqual([aPin('a')])
    await pins.close()
  })

  it('holds in this process while it cannot be written, keeps no answer back, and is written when it can be', async () => {
    const { pins, state, held, failures } = given()
    state.broken = true
    pins.note(made('a'))
    await new Promise<void>((resolve) => pins.whenKept(resolve))
    expect(failures).toEqual([{ waiting: 1, lost: 0 }])
    let told = false
    pins.note(made('b'))
    pins.whenKept(() => {
      told = true
    })
    expect(told).toBe(true)
    expect(await pins.find(['a', 'b'])).toHaveLength(2)
    state.broken = false
    expect(await pins.close()).toBe(0)
    expect([...held.keys()]).toEqual(['a', 'b'])
  })

  it('is bounded also while it cannot be written, and says what is lost', async () => {
    const { pins, state, failures } = given({ maxWaiting: 3 })
    state.broken = true
    for (let i = 0; i < 5; i++) pins.note(made(`file-${i}`))
    await turn()
    await turn()
    expect(failures).toEqual([{ waiting: 3, lost: 2 }])
    expect(await pins.close()).toBe(3)
  })
})

describe('a path', () => {
  it.each([
    ['/v1/files', null, ''],
    ['/v1/files/file-1/content', 'file-1', 'content'],
    ['/v1/threads/thread_1/runs/run_1/steps', 'thread_1', 'runs/run_1/steps'],
    ['/v1/threads/runs', null, 'runs'],
    ['/v1/fine_tuning/jobs/ftjob-1/cancel', 'ftjob-1', 'cancel'],
    ['/v1/messages/batches/msgbatch_1/results', 'msgbatch_1', 'results'],
    ['/v1/chat/completions/chatcmpl-1', 'chatcmpl-1', ''],
    ['/v1/responses/compact', null, 'compact'],
    ['/v1beta/cachedContents/c1', 'cachedContents/c1', ''],
    ['/v1beta/batches/b1:cancel', 'batches/b1', ':cancel'],
    ['/v1beta/models/gemini-2.5-flash:batchGenerateContent', null, ''],
  ])('%s is about %s', (path, objectId, rest) => {
    expect(placeOf(path)).toMatchObject({ objectId, rest })
  })

  it.each([
    '/v1/messages',
    '/v1/models/gpt-4o',
    '/v1/embeddings',
    '/v1/filesystem',
    '/v1/fine_tuning/checkpoints/x',
    '/v1beta/models/gemini-2.5-flash:generateContent',
    '/v1',
    '/',
  ])('%s is about nothing that belongs to an account', (path) => {
    expect(placeOf(path)).toBeNull()
  })

  it('with an id that nobody has is not looked up', () => {
    expect(placeOf(`/v1/files/${'x'.repeat(1000)}`)?.objectId).toBeNull()
  })
})

describe('a body names', () => {
  const text = { type: 'text', text: 'What is in file_id file-9?' }
  it.each<[string, string | null, object, string[]]>([
    [
      'nothing in a plain chat',
      null,
      {
        model: 'm',
        messages: [
          { role: 'user', content: 'file_id: file-9' },
          { role: 'user', content: [text] },
        ],
      },
      [],
    ],
    [
      'a file in a chat',
      null,
      { messages: [{ content: [text, { type: 'file', file: { file_id: 'file-1' } }] }] },
      ['file-1'],
    ],
    [
      'files in a message, also within the answer of a tool',
      null,
      {
        messages: [
          {
            content: [
              { type: 'document', source: { type: 'file', file_id: 'file-1' } },
              { type: 'tool_result', content: [{ type: 'image', source: { file_id: 'file-2' } }] },
              { type: 'container_upload', file_id: 'file-3' },
            ],
          },
        ],
        container: 'container_1',
      },
      ['container_1', 'file-1', 'file-2', 'file-3'],
    ],
    [
      'what a response needs',
      null,
      {
        previous_response_id: 'resp_1',
        conversation: { id: 'conv_1' },
        input: [
          { content: [{ type: 'input_file', file_id: 'file-1' }] },
          { type: 'function_call_output', output: [{ type: 'input_image', file_id: 'file-2' }] },
          { type: 'code_interpreter_call', container_id: 'cntr_1' },
        ],
        tools: [
          { type: 'file_search', vector_store_ids: ['vs_1', 'vs_2'] },
          { type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-3'] } },
          { type: 'function', name: 'f', parameters: { properties: { file_id: { type: 'string' } } } },
        ],
      },
      ['resp_1', 'conv_1', 'file-1', 'file-2', 'cntr_1', 'vs_1', 'vs_2', 'file-3'],
    ],
    [
      'what is cached for Gemini',
      null,
      { cachedContent: 'cachedContents/c1', contents: [{ parts: [{ text: 'x' }] }] },
      ['cachedContents/c1'],
    ],
    ['the file of a batch', '/v1/batches', { input_file_id: 'file-1', metadata: { file_id: 'file-9' } }, ['file-1']],
    [
      'both files of a fine-tuning',
      '/v1/fine_tuning/jobs',
      { training_file: 'file-1', validation_file: 'file-2' },
      ['file-1', 'file-2'],
    ],
    [
      'what a thread is made of',
      '/v1/threads',
      {
        messages: [
          {
            content: [{ type: 'image_file', image_file: { file_id: 'file-1' } }],
            attachments: [{ file_id: 'file-2', tools: [] }],
          },
        ],
        tool_resources: { file_search: { vector_store_ids: ['vs_1'] }, code_interpreter: { file_ids: ['file-3'] } },
      },
      ['file-1', 'file-2', 'vs_1', 'file-3'],
    ],
    [
      'the assistant of a run, and the thread before it',
      '/v1/threads/thread_1/runs',
      { assistant_id: 'asst_1' },
      ['thread_1', 'asst_1'],
    ],
    [
      'nothing that is no id',
      '/v1/batches',
      { input_file_id: 7, file_ids: [null, {}, ''], container: { type: 'auto' } },
      [],
    ],
  ])('%s', (_what, path, body, ids) => {
    expect(referencesIn(path === null ? null : placeOf(path), body as Record<string, unknown>, path === null)).toEqual(
      ids,
    )
  })

  it('nothing at any depth that would take long', () => {
    let deep: object = { file_id: 'file-deep' }
    for (let i = 0; i < 5000; i++) deep = { content: [deep] }
    expect(referencesIn(null, { messages: [deep] }, true)).toEqual([])
    expect(referencesIn(placeOf('/v1/threads'), { messages: [deep] }, false)).toEqual([])
  })
})

describe('an answer tells of objects', () => {
  const told = (path: string, pieces: string[], { events = false, all = false } = {}) => {
    const found: unknown[] = []
    const read = events ? readEventObjects : readJsonObjects
    const reader = read(placeOf(path)!, all, ({ id, others }) => void found.push(id, ...others))
    for (const piece of pieces) reader.push(Buffer.from(piece))
    reader.end()
    return found.filter((id) => id !== null)
  }
  const bytewise = (text: string) => [...text]

  it.each([
    ['in front', '{"id":"file-1","object":"file","metadata":{"id":"file-9"}}'],
    ['behind others', '{ "object" : "file", "bytes": 12, "deleted": false, "id" : "file-1" }'],
    ['behind what is nested', '{"metadata":{"id":"file-9"},"list":[{"id":"file-8"}],"id":"file-1"}'],
    ['with escapes', '{"filename":"a\\"b","\\u0069d":"file-1"}'],
  ])('by its id, %s', (_where, json) => {
    expect(told('/v1/files', [json])).toEqual(['file-1'])
    expect(told('/v1/files', bytewise(json))).toEqual(['file-1'])
  })

  it('also when it is long, without being kept', () => {
    const long = 'x'.repeat(600_000)
    expect(told('/v1/responses', ['{"id":"resp_1","output":"', long, long, long, '"}'])).toEqual(['resp_1'])
  })

  it('not when it is none, or was cut', () => {
    expect(told('/v1/files', ['<html>"id":"file-1"'])).toEqual([])
    expect(told('/v1/files', ['{"metadata":{},"id":"file-1'])).toEqual([])
    expect(told('/v1/files', [])).toEqual([])
  })

  it('that came out of others', () => {
    const batch =
      '{"id":"batch_1","output_file_id":"file-out","error_file_id":null,"metadata":{"output_file_id":"file-9"}}'
    expect(told('/v1/batches/batch_1', [batch], { all: true })).toEqual(['batch_1', 'file-out'])
    const job = '{"id":"ftjob-1","result_files":["file-r"],"training_file":"file-t"}'
    expect(told('/v1/fine_tuning/jobs/ftjob-1', [job], { all: true })).toEqual(['ftjob-1', 'file-r'])
    expect(told('/v1/uploads/upload_1/complete', ['{"id":"upload_1","file":{"id":"file-u"}}'])).toEqual([
      'upload_1',
      'file-u',
    ])
  })

  it('in a stream with its first event, wherever it is cut', () => {
    const stream =
      'event: response.created\ndata: {"type":"response.created","response":{"metadata":{"id":"x"},"id":"resp_1"}}\n\n' +
      'event: response.output_item.added\ndata: {"type":"response.output_item.added","item":{"id":"msg_1","type":"message"}}\n\n'
    expect(told('/v1/responses', [stream], { events: true })).toEqual(['resp_1'])
    expect(told('/v1/responses', bytewise(stream), { events: true })).toEqual(['resp_1'])
  })

  it('in a stream that runs code: the container besides', () => {
    const item = { type: 'code_interpreter_call', id: 'ci_1', container_id: 'cntr_1' }
    const events = [
      { type: 'response.created', response: { id: 'resp_1' } },
      ...Array.from({ length: 40 }, () => ({ type: 'response.output_text.delta', delta: 'code_interpreter_call' })),
      { type: 'response.output_item.added', item },
    ]
    const stream = events.map((event) => `data: ${JSON.stringify(event)}\n\n`)
    expect(told('/v1/responses', stream, { events: true, all: true })).toEqual(['resp_1', 'cntr_1'])
    expect(told('/v1/responses', [JSON.stringify({ id: 'resp_1', output: [item] })], { all: true })).toEqual([
      'resp_1',
      'cntr_1',
    ])
  })

  it('of a run together with its thread', () => {
    expect(told('/v1/threads/runs', ['{"id":"run_1","thread_id":"thread_1"}'])).toEqual(['thread_1'])
    const stream = 'event: thread.created\ndata: {"id":"thread_1","object":"thread"}\n\n'
    expect(told('/v1/threads/runs', [stream], { events: true })).toEqual(['thread_1'])
  })

  it('of Google by their names', () => {
    expect(told('/v1beta/cachedContents', ['{"name":"cachedContents/c1","model":"models/m"}'])).toEqual([
      'cachedContents/c1',
    ])
  })
})
