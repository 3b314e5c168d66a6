import { describe, expect, it } from '@jest/globals'
import type { HubEvent } from '../../../src/formats/hub.ts'
import { createSplice, type SpliceOptions } from '../../../src/routing/recovery/splice.ts'
import { used } from '../../formats/samples.ts'

const choice = 0
const text = (said: string): HubEvent => ({ type: 'text', choice, text: said })
const thought = (said: string): HubEvent => ({ type: 'reasoning', choice, text: said })
const seal: HubEvent = { type: 'signature', choice, signature: 'c2VhbA==' }
const stop: HubEvent = { type: 'finish', choice, reason: 'stop' }

type Sent = Partial<SpliceOptions['sent']>
/** What the client is told of the next answer; null: it is another one. */
function told(sent: Sent, next: HubEvent[], options: Partial<SpliceOptions> = {}): HubEvent[] | null {
  const has = { isBegun: true, text: '', thought: '', thoughtIsOver: Boolean(sent.text), ...sent }
  const splice = createSplice({ sent: has, from: null, keepsThoughts: false, spent: null, ...options })
  const events = next.flatMap((event) => splice.push(event))
  return splice.differs() ? null : events
}

describe('an answer that begins anew', () => {
  it('is told from where the one before broke off', () => {
    expect(told({ text: 'Hello w' }, [text('He'), text('llo world'), stop])).toEqual([text('orld'), stop])
  })
  it.each([
    ['says something else', [text('Help')]],
    ['ends before it has said as much', [text('Hel'), stop]],
    [
      'calls a tool before it has said as much',
      [{ type: 'tool_call', choice, call: 0, id: 'c', name: 'f' } as HubEvent],
    ],
    ['refuses', [{ type: 'refusal', choice, text: 'No.' } as HubEvent]],
    ['is several answers', [text('Hello'), { type: 'text', choice: 1, text: 'Hi' } as HubEvent]],
  ])('is another one when it %s', (_how, next) => {
    expect(told({ text: 'Hello' }, next)).toBeNull()
  })
  it('may call tools behind what was said', () => {
    const call: HubEvent = { type: 'tool_call', choice, call: 0, id: 'c', name: 'f' }
    expect(told({ text: 'Hello' }, [text('Hello'), call])).toEqual([call])
  })
  it('is told whole where nothing had been said', () => {
    expect(told({}, [thought('Hm.'), seal, text('Hello'), stop])).toEqual([thought('Hm.'), seal, text('Hello'), stop])
  })
})

describe('what is thought anew', () => {
  it('goes on where it is the same', () => {
    expect(told({ thought: 'Let me' }, [thought('Let me think.'), seal, text('Yes')])).toEqual([
      thought(' think.'),
      seal,
      text('Yes'),
    ])
  })
  it('is left out, with its seal, where it is another thought: the answer is what counts', () => {
    expect(told({ thought: 'Let me' }, [thought('I sh'), thought('all'), seal, text('Yes')])).toEqual([text('Yes')])
    expect(told({ thought: 'Let me' }, [text('Yes')])).toEqual([text('Yes')])
  })
  it('makes it another answer where a thought must stay as its model sealed it', () => {
    const options = { keepsThoughts: true }
    expect(told({ thought: 'Let me' }, [thought('I shall'), seal, text('Yes')], options)).toBeNull()
    expect(told({ thought: 'Let me' }, [thought('Let me.'), seal, text('Yes')], options)).toHaveLength(3)
  })
  it('is left out where the answer had begun, and told where it comes behind that', () => {
    const next = [thought('Once more.'), seal, text('Hello'), thought('Now what?')]
    expect(told({ text: 'Hel', thoughtIsOver: true }, next)).toEqual([text('lo'), thought('Now what?')])
  })
})

describe('an answer that goes on from a beginning', () => {
  const from = (beginning: string, repeats = false) => ({ from: { beginning, repeats } })
  it.each([
    ['a single time', 'Hello \n', [text('\nworld')], 'world'],
    ['in several pieces', 'Hello \n\n', [text(' '), text('\n'), text('\nworld')], 'world'],
    ['or fewer', 'Hello \n\n', [text(' world')], 'world'],
    ['or more', 'Hello\n', [text('\n  world')], '  world'],
  ])('does not give blanks twice that the model was not told of (%s)', (_how, said, next, expected) => {
    const events = told({ text: said }, [...next, stop], from('Hello'))!
    expect(events.map((event) => (event.type === 'text' ? event.text : '')).join('')).toBe(expected)
  })
  it('is told without its beginning where it repeats that exactly, and as it is where it does not', () => {
    expect(told({ text: 'Hello' }, [text('Hel'), text('lo world')], from('Hello', true))).toEqual([text(' world')])
    expect(told({ text: 'Hello' }, [text('Hel'), text('p!')], from('Hello', true))).toEqual([text('Help!')])
    expect(told({ text: 'ha' }, [text('ha')], from('ha'))).toEqual([text('ha')])
  })
  it('may have nothing to add', () => {
    expect(told({ text: 'Hello' }, [stop], from('Hello', true))).toEqual([stop])
  })
  it('cites places in the whole answer', () => {
    const citation: HubEvent = { type: 'citation', choice, citation: { url: 'u', start: 0, end: 6 } }
    const [, cited] = told({ text: 'Hello' }, [text(' world'), citation], from('Hello'))!
    expect(cited).toEqual({ ...citation, citation: { url: 'u', start: 5, end: 11 } })
  })
})

it('usage is what all of them have used, and the whole is begun once', () => {
  const start: HubEvent = { type: 'start', id: 'b', model: 'm', created: null }
  const options = { spent: used(10, 3, { source: 'estimated' as const }) }
  expect(told({}, [start, { type: 'usage', usage: used(5, 4) }], options)).toEqual([
    { type: 'usage', usage: used(15, 7, { source: 'estimated' as const }) },
  ])
  expect(told({ isBegun: false }, [start])).toEqual([start])
})
