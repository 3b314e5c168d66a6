import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { freshCallIds, withCallIds } from '../../src/formats/call-ids.ts'
import type { HubMessage } from '../../src/formats/hub.ts'

const call = (id: string) => ({ type: 'tool_call' as const, id, name: 'look', arguments: '{}' })
const result = (id: string) => ({ type: 'tool_result' as const, id, parts: [{ type: 'text' as const, text: id }] })
const asks = (...ids: string[]): HubMessage => ({ role: 'assistant', parts: ids.map(call) })
const tells = (...ids: string[]): HubMessage => ({ role: 'user', parts: ids.map(result) })
const idsOf = (messages: HubMessage[]) =>
  messages.map(({ parts }) => parts.flatMap((part) => ('id' in part && part.id !== undefined ? [part.id] : [])))

const KINDS = [
  ['short', /^.{1,40}$/s],
  ['word', /^[\w-]+$/],
  ['nine', /^[a-zA-Z0-9]{9}$/],
] as const

describe('ids of tool calls', () => {
  it('stay where the model takes any', () => {
    const messages = [asks('functions.look:0', ''), tells('functions.look:0', '')]
    expect(withCallIds(messages, { callIds: 'any' })).toBe(messages)
  })

  it.each([
    ['short', 'toolu_01TjHdHxyQNDy4DipRieJU5n'],
    ['word', 'toolu_01TjHdHxyQNDy4DipRieJU5n'],
    ['word', 'call_jpE40AW1quMaiDYWNV4Aob6D'],
    ['nine', 'bAyGEuxg1'],
  ] as const)('stay where they are good already (%s: %s)', (callIds, id) => {
    expect(idsOf(withCallIds([asks(id), tells(id)], { callIds }))).toEqual([[id], [id]])
  })

  it.each(KINDS)('become what the model takes (%s), each once, and results stay with their calls', (callIds, good) => {
    const turn = fc.array(fc.oneof(fc.string({ maxLength: 60 }), fc.constantFrom('call_0', '', 'a b', 'x:1')), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 5 }), (turns) => {
        const messages = turns.flatMap((ids) => [asks(...ids), tells(...ids)])
        const written = idsOf(withCallIds(messages, { callIds }))
        const calls = written.filter((_, index) => index % 2 === 0)
        const results = written.filter((_, index) => index % 2 === 1)
        expect(results).toEqual(calls)
        for (const id of calls.flat()) expect(id).toMatch(good)
        expect(new Set(calls.flat()).size).toBe(calls.flat().length)
      }),
      { numRuns: 300 },
    )
  })

  it('become the same in the next request, so that a provider finds its cache again', () => {
    const messages = [asks('a:1', 'b:2'), tells('a:1', 'b:2')]
    const longer = withCallIds([...messages, asks('c:3'), tells('c:3')], { callIds: 'nine' })
    expect(longer.slice(0, 2)).toEqual(withCallIds(messages, { callIds: 'nine' }))
  })

  it('that stand in other parts are not touched', () => {
    const messages: HubMessage[] = [
      { role: 'user', parts: [{ type: 'text', text: 'a' }] },
      { role: 'assistant', parts: [{ type: 'reasoning', text: 'b', id: 'rs 1' }, call('x y')] },
    ]
    const [first, second] = withCallIds(messages, { callIds: 'word' })
    expect(first).toBe(messages[0])
    expect(second!.parts[0]).toBe(messages[1]!.parts[0])
  })
})

describe('ids in an answer', () => {
  it('stay when the conversation does not know them yet', () => {
    const fresh = freshCallIds({ messages: [asks('call_a'), tells('call_a')] })
    expect(fresh('call_b')).toBe('call_b')
  })

  it('are told apart from those of the conversation, and from each other', () => {
    const fresh = freshCallIds({ messages: [asks('call_0', 'call_0_2'), tells('call_0', 'call_0_2')] })
    expect([fresh('call_0'), fresh('call_0'), fresh('call_1')]).toEqual(['call_0_3', 'call_0_4', 'call_1'])
  })

  it('are given where the provider has none', () => {
    const fresh = freshCallIds({ messages: [asks('call_1'), tells('call_1')] })
    expect([fresh(''), fresh('')]).toEqual(['call_2', 'call_3'])
  })
})
