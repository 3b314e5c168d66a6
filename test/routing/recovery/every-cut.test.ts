import { describe, expect, it } from '@jest/globals'
import { DIALECTS } from '../../../src/formats/dialects.ts'
import type { HubEvent } from '../../../src/formats/hub.ts'
import { streamOf, used } from '../../formats/samples.ts'
import { cutAfter, facts, heardIn, joined, meaningOf } from './cutting.ts'

/* A stream is cut behind each of its bytes, and the same answer comes once more, in other pieces: the client must not be able to tell. */

const choice = 0
const start: HubEvent = { type: 'start', id: 'msg_1', model: 'm-1', created: 1_600_000_000 }
const end: HubEvent[] = [
  { type: 'finish', choice, reason: 'stop' },
  { type: 'usage', usage: used(5, 9) },
  { type: 'done' },
]
const told = (type: 'text' | 'reasoning', ...pieces: string[]): HubEvent[] =>
  pieces.map((text) => ({ type, choice, text }))

const ANSWERS: { name: string; events: HubEvent[]; again: HubEvent[] }[] = [
  {
    name: 'plain text',
    events: [start, ...told('text', 'Once', ' upon ', 'a 🐈 time', '\n\n', 'the end.'), ...end],
    again: [
      { ...start, id: 'msg_2', model: 'm-2' } as HubEvent,
      ...told('text', 'Once upo', 'n a \ud83d', '\udc08 time\n', '\nthe', ' end.'),
      ...end,
    ],
  },
  {
    name: 'a thought, then text',
    events: [start, ...told('reasoning', 'Let me', ' think.'), ...told('text', 'Once', ' upon.'), ...end],
    again: [
      { ...start, id: 'msg_2' } as HubEvent,
      ...told('reasoning', 'Let', ' me think', '.'),
      ...told('text', 'O', 'nce upo', 'n.'),
      ...end,
    ],
  },
  {
    name: 'a sealed thought, then text',
    events: [
      start,
      ...told('reasoning', 'Hm', 'm.'),
      { type: 'signature', choice, signature: 'c2VhbA==' },
      ...told('text', 'Yes', '.'),
      ...end,
    ],
    again: [
      start,
      ...told('reasoning', 'Hmm.'),
      { type: 'signature', choice, signature: 'c2VhbA==' },
      ...told('text', 'Yes.'),
      ...end,
    ],
  },
  {
    name: 'text, then a call of a tool',
    events: [
      start,
      ...told('text', 'Let me', ' look.'),
      { type: 'tool_call', choice, call: 0, id: 'call_1', name: 'look' },
      { type: 'arguments', choice, call: 0, json: '{"at":"it"}' },
      { type: 'finish', choice, reason: 'tool_calls' },
      { type: 'done' },
    ],
    again: [
      start,
      ...told('text', 'Let me look.'),
      { type: 'tool_call', choice, call: 0, id: 'call_1', name: 'look' },
      { type: 'arguments', choice, call: 0, json: '{"at":"it"}' },
      { type: 'finish', choice, reason: 'tool_calls' },
      { type: 'done' },
    ],
  },
]

const SPLICED = [DIALECTS['openai-chat']!, DIALECTS['anthropic-messages']!, DIALECTS.gemini!]

describe.each(SPLICED)('a stream of $name that is cut behind any of its bytes', (dialect) => {
  it.each(ANSWERS)('goes on as if it had not been, when the same is answered anew ($name)', ({ events, again }) => {
    const whole = Buffer.from(streamOf(dialect, events, facts))
    const meant = meaningOf(heardIn(dialect, whole))
    let joints = 0
    for (let cut = 0; cut < whole.length; cut++) {
      const { passed, sent } = cutAfter(dialect, whole, cut)
      expect(String(whole.subarray(0, cut)).startsWith(passed)).toBe(true)
      // With a call or the end begun, nothing can be joined to it.
      if (sent === null) continue
      joints++
      const rest = joined(dialect, sent, again)
      const own = sent.isBegun ? meant : { ...meant, id: expect.anything(), model: expect.anything() }
      expect([cut, meaningOf(heardIn(dialect, passed + rest))]).toEqual([cut, own])
      if (dialect.name === 'openai-chat') expect(`${passed}${rest}`.split('[DONE]')).toHaveLength(2)
    }
    expect(joints).toBeGreaterThan(whole.length / 4)
  })

  it('goes on when a model is given its beginning, whether it repeats that or not', () => {
    const text = 'Once upon a time there was a cat. \n\nThe end, at last.'
    const events: HubEvent[] = [start, ...told('text', ...(text.match(/.{1,7}|\n+/g) ?? [])), ...end]
    const whole = Buffer.from(streamOf(dialect, events, facts))
    const meant = meaningOf(heardIn(dialect, whole))
    for (let cut = 0; cut < whole.length; cut++) {
      const { passed, sent } = cutAfter(dialect, whole, cut)
      if (!sent?.text) continue
      const beginning = sent.text.trimEnd()
      for (const repeats of [false, true]) {
        const spoken = repeats ? text : text.slice(beginning.length)
        const again = [start, ...told('text', ...(spoken.match(/[\s\S]{1,3}/g) ?? [])), ...end]
        const rest = joined(dialect, sent, again, { from: { beginning, repeats } })
        expect([cut, repeats, meaningOf(heardIn(dialect, passed + rest))]).toEqual([cut, repeats, meant])
      }
    }
  })
})
