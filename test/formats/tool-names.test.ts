import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { HubMessage, HubTool } from '../../src/formats/hub.ts'
import { ownToolName, toToolName, withToolNames } from '../../src/formats/tool-names.ts'

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
