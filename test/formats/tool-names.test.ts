import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ownToolName, toToolName } from '../../src/formats/tool-names.ts'

const tools = (...names: string[]) => ({ tools: names.map((name) => ({ name, parameters: null })) })

describe('names of tools', () => {
  it('stay where every provider takes them', () => {
    expect(toToolName('get_weather-2')).toBe('get_weather-2')
    expect(toToolName('m'.repeat(64))).toBe('m'.repeat(64))
  })

  it('become what every provider takes, and the client gets its own back', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 150 }), { minLength: 1, maxLength: 8 }),
        (names) => {
          const written = names.map(toToolName)
          for (const name of written) expect(name).toMatch(/^[\w-]{1,64}$/)
          expect(new Set(written).size).toBe(names.length)
          expect(written.map((name) => ownToolName(name, tools(...names)))).toEqual(names)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('that a model made up are told as it wrote them', () => {
    expect(ownToolName('no_such_tool', tools('one'))).toBe('no_such_tool')
  })
})
