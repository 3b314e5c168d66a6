import type { ServerResponse } from 'node:http'
import { type Seen, sseHead, startUpstream } from '../../helpers/upstream.ts'
import type { Answer, Failure, Heard, Turn } from './script.ts'

export type Json = Record<string, unknown>

/** What a provider remembers of a conversation: it takes back only what it has given. */
export type Memory = {
  /** Ids of tool calls, in order. */
  ids: string[]
  /** Thoughts, by their seals. */
  seals: Map<string, string>
}

/** One request, and what is to be said to it. */
export type Talk = { model: string; body: Json; memory: Memory }

/** How a provider speaks and listens. Written by hand after recorded traffic, and not with what is tested. */
export type Speech = {
  isStream(seen: Seen, body: Json): boolean
  modelOf(seen: Seen, body: Json): string
  /** What it would refuse the request for; null: nothing. */
  check(talk: Talk, seen: Seen): string | null
  hear(talk: Talk): Heard
  whole(answer: Answer, talk: Talk): Json
  /** The events of a stream as they stand on the wire: all that comes before its end, and its end. */
  stream(answer: Answer, talk: Talk): { content: string[]; end: string[] }
  /** What a stream says that fails half-way. */
  streamFailure: string
  failure(kind: Failure, message: string): { status: number; body: unknown; headers?: Record<string, string> }
}

export type ScriptedProvider = {
  url: string
  /** What it does with the next requests, in order. Forgets all before. */
  play(turns: Turn[]): void
  /** The first request that comes after this. */
  next(): Promise<Seen>
  heard(): Heard[]
  /** What it had to refuse since `play`, though it was not told to. */
  refused(): string[]
  close(): Promise<void>
}

export async function startProvider(speech: Speech): Promise<ScriptedProvider> {
  let turns: Turn[] = []
  let heard: Heard[] = []
  let refused: string[] = []
  const waiting: ((seen: Seen) => void)[] = []
  let memory: Memory = { ids: [], seals: new Map() }

  const refuse = (res: ServerResponse, message: string) => {
    refused.push(message)
    sendFailure(res, speech.failure('bad_request', message))
  }

  const upstream = await startUpstream((_req, res, one) => {
    // The gateway looks for who has which model.
    if (one.method === 'GET') return sendFailure(res, speech.failure('not_found', MESSAGES.not_found))
    for (const take of waiting.splice(0)) take(one)
    const turn = turns.shift()
    if (!turn) return refuse(res, 'Nobody has said what to answer to this.')
    if ('silent' in turn) return
    if ('failure' in turn) return sendFailure(res, speech.failure(turn.failure, MESSAGES[turn.failure]))
    const body = JSON.parse(String(one.body)) as Json
    const talk = { model: speech.modelOf(one, body), body, memory }
    const problem = speech.check(talk, one)
    if (problem !== null) return refuse(res, problem)
    const understood = speech.hear(talk)
    heard.push(understood)
    const said = withHeardNames(turn, understood)
    if (speech.isStream(one, body) && !turn.unstreamed) sendStream(res, speech, said, talk)
    else sendWhole(res, speech, said, talk)
  })

  return {
    url: upstream.url,
    play(next) {
      turns = [...next]
      heard = []
      refused = []
      memory = { ids: [], seals: new Map() }
    },
    next: () => new Promise((resolve) => waiting.push(resolve)),
    heard: () => heard,
    refused: () => refused,
    close: () => upstream.close(),
  }
}

/** A call of `#1` is one of the second tool, as the provider was told its name. */
const withHeardNames = (answer: Answer, { tools }: Heard): Answer =>
  answer.calls === undefined
    ? answer
    : {
        ...answer,
        calls: answer.calls.map((one) => ({
          ...one,
          name: one.name.startsWith('#') ? tools[Number(one.name.slice(1))]! : one.name,
        })),
      }

/** What providers say of what went wrong, which clients are to read. */
export const MESSAGES: Record<Failure, string> = {
  bad_request: 'This request makes no sense.',
  wrong_key: 'Invalid API key.',
  forbidden: 'Your key may not use this model.',
  not_found: 'There is no such model.',
  too_long: 'prompt is too long: 300000 tokens > 200000 maximum',
  rate_limit: 'You are asking too often.',
  server: 'Something broke here.',
  overloaded: 'Too many are asking.',
}

function sendFailure(res: ServerResponse, { status, body, headers }: ReturnType<Speech['failure']>): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function sendWhole(res: ServerResponse, speech: Speech, answer: Answer, talk: Talk): void {
  const text = JSON.stringify(speech.whole(answer, talk))
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  if (answer.breaks === undefined) return void res.end(text)
  res.write(text.slice(0, text.length / 2), () => {
    if (answer.breaks !== 'silence') res.destroy()
  })
}

/** Bytes: less than an event, and no multiple of a letter's. */
const PIECE = 61

function sendStream(res: ServerResponse, speech: Speech, answer: Answer, talk: Talk): void {
  const { content, end } = speech.stream(answer, talk)
  const { breaks } = answer
  const more = breaks === undefined ? end : breaks === 'error' ? [speech.streamFailure] : []
  const bytes = Buffer.from([...content, ...more].join(''))
  res.writeHead(200, sseHead)
  for (let from = 0; from < bytes.length; from += PIECE) {
    const isLast = from + PIECE >= bytes.length
    res.write(bytes.subarray(from, from + PIECE), () => isLast && breaks === 'cut' && res.destroy())
  }
  if (breaks !== 'cut' && breaks !== 'silence') res.end()
}

/** A text in several pieces, as models write. */
export const pieces = (text: string): string[] => text.match(/[\s\S]{1,7}/gu) ?? []
