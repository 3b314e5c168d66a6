import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { toFile } from 'openai'
import { binary } from '../fixtures/sample.ts'
import { all, freeRow, goodRow, type SdkBench, startSdk } from './sdk.ts'

let bench: SdkBench
beforeAll(async () => {
  bench = await startSdk()
})
afterAll(() => bench.close())

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())

describe('embeddings', () => {
  it('come as base64, as the SDK asks for them, and are decoded to the same numbers', async () => {
    bench.answer('embeddings: base64')
    const { data } = await bench.openai.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'] })
    expect(JSON.parse(bench.lastSeen().body.toString()).encoding_format).toBe('base64')
    expect(data[0]!.embedding.map((value) => value.toFixed(6))).toEqual(['0.005729', '-0.012728', '0.020000'])
    expect(await bench.lastRow()).toMatchObject(goodRow('/v1/embeddings', 'text-embedding-3-small', [5, 0, 0, 0]))
  })
})

describe('files', () => {
  it('are uploaded whole', async () => {
    bench.answer('files: an upload')
    const content = binary(300_000)
    const file = await bench.openai.files.create({ purpose: 'batch', file: await toFile(content, 'a.jsonl') })
    expect(file.id).toBe('file-1')
    expect(bench.lastSeen().headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
    expect(bench.lastSeen().body.includes(content)).toBe(true)
    const row = await bench.lastRow()
    expect(row).toMatchObject({ ...freeRow('/v1/files'), model: null })
    expect(row.requestBytes).toBe(bench.lastSeen().body.length)
  })

  it('are downloaded byte for byte', async () => {
    bench.answer('files: their content')
    const response = await bench.openai.files.content('file-1')
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="a b.jsonl"')
    expect((await bytesOf(response)).equals(binary(50_000))).toBe(true)
    expect(await bench.lastRow()).toMatchObject({
      ...freeRow('/v1/files/file-1/content', 'GET'),
      responseBytes: 50_000,
    })
  })

  it('are deleted', async () => {
    bench.answer('files: deleting one')
    expect(await bench.openai.files.delete('file-1')).toMatchObject({ deleted: true })
    expect(await bench.lastRow()).toMatchObject(freeRow('/v1/files/file-1', 'DELETE'))
  })
})

describe('models', () => {
  it('are listed', async () => {
    bench.answer('models: the list')
    expect((await all(await bench.openai.models.list())).map(({ id }) => id)).toEqual(['gpt-4o', 'openai:gpt-4o'])
    expect(await bench.lastRow()).toMatchObject(freeRow('/v1/models', 'GET'))
  })
})

describe('speech', () => {
  it('is given byte for byte', async () => {
    bench.answer('speech: binary')
    const speech = await bench.openai.audio.speech.create({ model: 'gpt-4o-mini-tts', input: 'Hi', voice: 'alloy' })
    expect(speech.headers.get('content-type')).toBe('audio/mpeg')
    expect((await bytesOf(speech)).equals(binary(40_000))).toBe(true)
    expect(await bench.lastRow()).toMatchObject({ ...freeRow('/v1/audio/speech'), model: 'gpt-4o-mini-tts' })
  })
})

describe('a transcription', () => {
  const sound = () => toFile(binary(100_000), 'a.wav', { type: 'audio/wav' })

  it('is read from an upload, and its tokens are booked', async () => {
    bench.answer('transcription: JSON')
    const { text } = await bench.openai.audio.transcriptions.create({ model: 'gpt-4o-transcribe', file: await sound() })
    expect(text).toBe('Ruby.')
    expect(bench.lastSeen().body.includes(binary(100_000))).toBe(true)
    expect(await bench.lastRow()).toMatchObject({
      ...goodRow('/v1/audio/transcriptions', null, [37, 12, 0, 0]),
      model: 'gpt-4o-transcribe',
    })
  })

  it('of which only the duration is told has no tokens', async () => {
    bench.answer('transcription: JSON with a duration')
    await bench.openai.audio.transcriptions.create({ model: 'whisper-1', file: await sound() })
    const usage = { inputTokens: 0, outputTokens: 0, details: { input_audio_seconds: 8 }, source: 'reported' }
    expect(await bench.lastRow()).toMatchObject({ ...freeRow('/v1/audio/transcriptions'), model: 'whisper-1', usage })
  })

  it('as text is text', async () => {
    bench.answer('transcription: plain text')
    const text = await bench.openai.audio.transcriptions.create({
      model: 'whisper-1',
      file: await sound(),
      response_format: 'text',
    })
    expect(text).toBe(' Ruby.\n')
  })

  it('is streamed with CRLF line ends', async () => {
    bench.answer('transcription: a stream, its lines ended by CRLF')
    const stream = await bench.openai.audio.transcriptions.create({
      model: 'gpt-4o-transcribe',
      file: await sound(),
      stream: true,
    })
    const events = await all(stream)
    expect(events.map((event) => ('delta' in event ? event.delta : event.type))).toEqual([
      'Ru',
      'by',
      '.',
      'transcript.text.done',
    ])
    expect(await bench.lastRow()).toMatchObject({
      ...goodRow('/v1/audio/transcriptions', null, [37, 12, 0, 0]),
      model: 'gpt-4o-transcribe',
      stream: true,
    })
  })
})

describe('images', () => {
  const row = (endpoint: string) => ({ ...goodRow(endpoint, null, [13, 1056, 0, 0]), model: 'gpt-image-1' })

  it('are generated', async () => {
    bench.answer('images: JSON')
    const { data } = await bench.openai.images.generate({ model: 'gpt-image-1', prompt: 'An otter' })
    expect(Buffer.from(data![0]!.b64_json!, 'base64').equals(binary(3_000))).toBe(true)
    expect(await bench.lastRow()).toMatchObject(row('/v1/images/generations'))
  })

  it('are edited from an upload', async () => {
    bench.answer('images: an edit, the model behind the picture')
    const image = await toFile(binary(200_000), 'otter.png', { type: 'image/png' })
    await bench.openai.images.edit({ image, prompt: 'A hat', model: 'gpt-image-1' })
    expect(bench.lastSeen().body.includes(binary(200_000))).toBe(true)
    expect(await bench.lastRow()).toMatchObject(row('/v1/images/edits'))
  })

  it('are streamed in parts', async () => {
    bench.answer('images: a stream')
    const ask = { model: 'gpt-image-1', prompt: 'An otter', partial_images: 1, stream: true as const }
    const events = await all(await bench.openai.images.generate(ask))
    expect(events.map(({ type }) => type)).toEqual(['image_generation.partial_image', 'image_generation.completed'])
    expect(await bench.lastRow()).toMatchObject({ ...row('/v1/images/generations'), stream: true })
  })
})
