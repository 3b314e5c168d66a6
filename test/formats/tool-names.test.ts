import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { DialectName } from '../../src/formats/dialect.ts'
import { DIALECTS } from '../../src/formats/dialects.ts'
import type { HubMessage, HubPart, HubTool } from '../../src/formats/hub.ts'
import { ownToolName, toToolName, withToolNames } from '../../src/formats/tool-names.ts'
import { answerFacts, built, hubAnswer, hubRequest, streamOf } from './samples.ts'

const TAKEN = /^[a-z_][\w-]{0,63}$/i
const tool = (name: string): HubTool => ({ name, parameters: null })

describe('the name of a tool', () => {
  it('that is taken stays', () => {
    expect(toToolName('get_weather-2', TAKEN)).toBe('get_weather-2')
  })

  it('is always one that is taken, and finds its way back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 128 }), { minLength: 1 }), (names) => {
        const tools = names.map(tool)
        const sent = names.map((name) => toToolName(name, TAKEN))
        for (const name of sent) expect(name).toMatch(TAKEN)
        expect(new Set(sent).size).toBe(names.length)
        expect(sent.map((name) => ownToolName(name, { tools }))).toEqual(names)
      }),
    )
  })

  it('that nobody declared is left as it is', () => {
    expect(ownToolName('made_up', { tools: [tool('other')] })).toBe('made_up')
  })

  it('is the same wherever a request names the tool', () => {
    const messages: HubMessage[] = [
      { role: 'assistant', parts: [{ type: 'tool_call', id: '1', name: 'a b', arguments: '{}' }] },
      { role: 'user', parts: [{ type: 'tool_result', id: '1', name: 'a b', parts: [] }] },
      { role: 'user', parts: [{ type: 'tool_result', id: '1', parts: [] }] },
    ]
    const request = {
      messages,
      tools: [tool('a b')],
      toolChoice: { type: 'tools' as const, names: ['a b'], required: true },
    }
    const name = toToolName('a b', TAKEN)
    const sent = withToolNames(request, TAKEN)
    expect(sent.tools).toEqual([tool(name)])
    expect(sent.toolChoice).toMatchObject({ names: [name] })
    expect(sent.messages.map(({ parts }) => parts[0])).toMatchObject([{ name }, { name }, {}])
    // Of a tool that is not declared any more, too.
    expect(withToolNames({ ...request, tools: [] }, TAKEN).messages[0]!.parts[0]).toMatchObject({ name })
  })

  it('costs nothing where all are fine', () => {
    const request = { messages: [], tools: [tool('a')], toolChoice: null }
    expect(withToolNames(request, TAKEN)).toBe(request)
  })
})

describe('a tool whose name no provider takes', () => {
  const own = 'mcp.weather/in the city of Rome, Italy, and all around it: #1'
  const names = Object.keys(DIALECTS) as DialectName[]
  const pairs = names.flatMap((from) => names.map((to) => [from, to] as const))

  it.each(pairs)('is called by it by a client of %s, whose provider speaks %s', (from, to) => {
    const [client, provider] = [DIALECTS[from]!, DIALECTS[to]!]
    const request = hubRequest({ tools: [tool(own)], toolChoice: { type: 'tools', names: [own], required: true } })
    const body = JSON.stringify(built(provider, request).body)
    expect(body).not.toContain(own)
    const sent = toToolName(own)
    // In the tool, and in the choice.
    expect(body.split(sent)).toHaveLength(3)

    const call: HubPart = { type: 'tool_call', id: 'call_1', name: sent, arguments: '{}' }
    const answer = hubAnswer([call], { candidates: [{ parts: [call], finish: 'tool_calls' }] })
    const facts = answerFacts({ request })
    const told = JSON.stringify(
      client.buildAnswer(provider.parseAnswer(provider.buildAnswer(answer, answerFacts())), facts),
    )
    const streamed = streamOf(
      client,
      [
        { type: 'start', id: 'a', model: 'm', created: 1 },
        { type: 'tool_call', choice: 0, call: 0, id: 'call_1', name: sent },
        { type: 'arguments', choice: 0, call: 0, json: '{}' },
        { type: 'finish', choice: 0, reason: 'tool_calls' },
        { type: 'done' },
      ],
      facts,
    )
    for (const text of [told, streamed]) {
      expect(text).toContain(own)
      expect(text).not.toContain(sent)
    }
  })
})
