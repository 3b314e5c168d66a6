import { describe, expect, it } from '@jest/globals'
import { eventsOf } from '../../src/formats/answer-events.ts'
import type { Dialect, DialectName, Json } from '../../src/formats/dialect.ts'
import { DIALECTS } from '../../src/formats/dialects.ts'
import type { HubPart } from '../../src/formats/hub.ts'
import { records } from '../../src/formats/read.ts'
import { translateRequest } from '../../src/formats/translate-request.ts'
import { answerFacts, built, eventsIn, hubAnswer, jsonIn, say, streamOf } from './samples.ts'

/* Models that draw and speak: what they make arrives where the client's dialect has a place, and is told to be lost where it has none. */

const [chat, responses, messages, gemini] = [
  DIALECTS['openai-chat']!,
  DIALECTS['openai-responses']!,
  DIALECTS['anthropic-messages']!,
  DIALECTS.gemini!,
]
const HOWS = ['whole', 'streamed'] as const
type How = (typeof HOWS)[number]

const PICTURE = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }
const IMAGE = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }

/** A provider's answer as a client of `client` is told it, in pieces that were put together again, and what was lost. */
function told(from: Dialect, answer: Json[], client: Dialect, how: How): { all: Json[]; lost: string[] } {
  const lost = new Set<string>()
  const facts = answerFacts({ lose: (what) => lost.add(what) })
  if (how === 'whole') return { all: [client.buildAnswer(from.parseAnswer(answer[0]!), facts)], lost: [...lost] }
  const all = jsonIn(streamOf(client, eventsIn(from, answer), facts).replaceAll('\r', ''))
  return { all, lost: [...lost] }
}

const drawn = (parts: Json[]): Json => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, finishReason: 'STOP' }],
  modelVersion: 'gemini-3-pro-image',
  responseId: 'Ab-1',
})

const ofChat = (message: Json, how: How): Json[] => {
  const place = how === 'whole' ? 'message' : 'delta'
  const choice = { index: 0, [place]: { role: 'assistant', ...message }, finish_reason: 'stop' }
  return [{ id: 'c1', created: 1, model: 'm', choices: [choice] }]
}

const imagesIn = (all: Json[]) =>
  all.flatMap((one) =>
    records(one.choices).flatMap(({ message, delta }) => records(((message ?? delta) as Json | undefined)?.images)),
  )
const partsIn = (all: Json[]) =>
  all.flatMap((one) => records(one.candidates).flatMap(({ content }) => records((content as Json).parts)))

describe.each(HOWS)('an answer with pictures (%s)', (how) => {
  it('of Gemini comes to a client of chat completions, each with its number', () => {
    const other = { inlineData: { mimeType: 'image/webp', data: 'UklGR' } }
    const { all, lost } = told(gemini, [drawn([{ text: 'Here:' }, PICTURE, other])], chat, how)
    expect(imagesIn(all)).toEqual([
      { ...IMAGE, index: 0 },
      { type: 'image_url', image_url: { url: 'data:image/webp;base64,UklGR' }, index: 1 },
    ])
    expect(JSON.stringify(all)).toContain('Here:')
    expect(lost).toEqual([])
  })

  it('of chat completions comes to a client of Gemini', () => {
    const answer = ofChat({ content: 'Here:', images: [IMAGE] }, how)
    const { all, lost } = told(chat, answer, gemini, how)
    expect(partsIn(all).filter((part) => part.text !== '')).toEqual([{ text: 'Here:' }, PICTURE])
    expect(lost).toEqual([])
  })

  it('by their address comes as that', () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    const { all } = told(chat, ofChat({ content: null, images: [image] }, how), gemini, how)
    expect(partsIn(all)).toContainEqual({
      fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' },
    })
    const back = told(gemini, [drawn([{ fileData: { mimeType: 'image/png', fileUri: 'gs://a/b' } }])], chat, how)
    expect(imagesIn(back.all)).toMatchObject([{ image_url: { url: 'gs://a/b' } }])
  })

  it.each([
    ['anthropic-messages', messages],
    ['openai-responses', responses],
  ] as const)('is told to be lost where there is no place for them: %s', (_name, client) => {
    const { all, lost } = told(gemini, [drawn([{ text: 'Here:' }, PICTURE])], client, how)
    expect(lost).toEqual(['answer.image'])
    expect(JSON.stringify(all)).toContain('Here:')
    expect(JSON.stringify(all)).not.toContain('iVBORw0KGgo')
  })

  it('does not show the drafts that were thoughts', () => {
    const { all, lost } = told(gemini, [drawn([{ ...PICTURE, thought: true }, { text: 'No.' }])], chat, how)
    expect(imagesIn(all)).toEqual([])
    expect(lost).toEqual([])
  })

  it('comes back to Gemini with the seal of every part of it, without which pictures are refused', () => {
    const parts = [
      { text: 'Here:', thoughtSignature: 'VGV4dA==' },
      { ...PICTURE, thoughtSignature: 'UGljdHVyZQ==' },
    ]
    const { all } = told(gemini, [drawn(parts)], chat, how)
    const pieces = all.flatMap((one) => records(one.choices).map(({ message, delta }) => (message ?? delta) as Json))
    const details = pieces.flatMap((piece) => records(piece.reasoning_details))
    const message = { role: 'assistant', content: 'Here:', images: imagesIn(all), reasoning_details: details }
    const asked = [{ role: 'user', content: 'Draw.' }, message, { role: 'user', content: 'Larger.' }]
    const { body, dropped } = translateRequest(
      { from: chat, to: gemini },
      { model: 'x', messages: asked },
      { model: null, stream: null },
      { model: 'gemini-3-pro-image', streamUsage: false },
    )
    expect(records(body.contents)[1]!.parts).toEqual(parts)
    expect(dropped).toEqual([])
  })
})

describe.each(HOWS)('an answer that is spoken (%s)', (how) => {
  const audio = { id: 'a1', data: 'AAAAAA==', transcript: 'Hello', expires_at: 1 }

  it('of OpenAI comes to Gemini as sound, with what it says', () => {
    const { all, lost } = told(chat, ofChat({ content: null, audio }, how), gemini, how)
    const sound = { inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: 'AAAAAA==' } }
    expect(partsIn(all).filter((part) => part.text !== '')).toEqual([{ text: 'Hello' }, sound])
    expect(lost).toEqual([])
  })

  it('is at least told in writing where there is no place for sound', () => {
    const { all, lost } = told(chat, ofChat({ content: null, audio }, how), messages, how)
    expect(JSON.stringify(all)).toContain('Hello')
    expect(lost).toEqual(['answer.audio'])
  })

  it('of Gemini is told to be lost in chat completions, where nobody could say its format', () => {
    const sound = { inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: 'AAAA' } }
    expect(told(gemini, [drawn([sound])], chat, how).lost).toEqual(['answer.audio'])
  })
})

it.each([
  ['UklGRgAAAA==', 'audio/wav'],
  ['SUQzBAAAAA==', 'audio/mp3'],
  ['//uQZAAAAA==', 'audio/mp3'],
  ['T2dnUwACAA==', 'audio/ogg'],
  ['ZkxhQwAAAA==', 'audio/flac'],
])('sound that begins with %s is %s', (data, mimeType) => {
  const { all } = told(chat, ofChat({ content: null, audio: { data } }, 'whole'), gemini, 'whole')
  expect(partsIn(all)).toEqual([{ inlineData: { mimeType, data } }])
})

describe('no part of an answer', () => {
  const source = { kind: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' } as const
  const shown: HubPart[] = [
    { type: 'image', source },
    { type: 'audio', source: { ...source, mediaType: 'audio/wav' } },
    { type: 'file', source: { ...source, mediaType: 'video/mp4' } },
    { type: 'file', source: { kind: 'file_id', id: 'file-1' } },
  ]
  const cases = (Object.keys(DIALECTS) as DialectName[]).flatMap((name) =>
    shown.flatMap((part) => HOWS.map((how) => ({ name, part, kind: part.type, how }))),
  )

  it.each(cases)('is neither told nor missed: $kind to $name ($how)', ({ name, part, how }) => {
    const lost: string[] = []
    const facts = answerFacts({ lose: (what) => lost.push(what) })
    const answer = hubAnswer([say('Look:'), part])
    const client = DIALECTS[name]!
    const text =
      how === 'whole' ? JSON.stringify(client.buildAnswer(answer, facts)) : streamOf(client, eventsOf(answer), facts)
    expect(text.includes('iVBORw0KGgo=')).toBe(lost.length === 0)
    if (lost.length > 0) expect(lost).toEqual([`answer.${part.type}`])
  })
})

it.each([
  ['anthropic-messages', 'claude-sonnet-4-6'],
  ['openai-responses', 'gpt-5.4'],
  ['openai-chat', 'llama-4'],
] as const)('a picture that another model drew is not sent to %s, and that is told', (name, model) => {
  const image: HubPart = { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aW1n' } }
  const said = [
    { role: 'user' as const, parts: [say('Draw.')] },
    { role: 'assistant' as const, parts: [say('Here:'), image] },
    { role: 'user' as const, parts: [say('Larger.')] },
  ]
  const { body, lost } = built(DIALECTS[name]!, { messages: said }, model)
  expect(JSON.stringify(body)).not.toContain('aW1n')
  expect(lost).toContain('part:image')
})
