import { describe, expect, it } from '@jest/globals'
import type { Dialect, Json } from '../../../src/formats/dialect.ts'
import { DIALECTS } from '../../../src/formats/dialects.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import { translateRequest } from '../../../src/formats/translate-request.ts'
import { fixturesFolder, NO_FIXTURES, RECORDINGS, recordedExchanges } from '../../helpers/fixtures.ts'

type Part = Json & { functionCall?: { id: string; name: string; args: unknown }; functionResponse?: { id: string } }
type Content = { role: string; parts: Part[] }

const PLACE = { model: null, stream: null }
const paths: [Dialect, RegExp][] = [
  [DIALECTS['openai-chat']!, /\/chat\/completions(?:\?|$)/],
  [DIALECTS['anthropic-messages']!, /\/v1\/messages(?:\?|$)/],
]
const requests = paths.flatMap(([from, path]) =>
  RECORDINGS.flatMap(recordedExchanges)
    .filter((exchange) => path.test(exchange.path) && exchange.status === 200 && exchange.requestBody[0] === 0x7b)
    .map(({ name, requestBody }) => ({ name, from, body: JSON.parse(requestBody.toString()) as Json })),
)

/** What the provider would answer with 400, of those things that are known (wire facts 2.1 to 2.4). */
function faultsOf(body: Json): string[] {
  const contents = body.contents as Content[]
  const faults: string[] = []
  const check = (isFine: boolean, fault: string) => {
    if (!isFine) faults.push(fault)
  }
  check(contents.length > 0 && contents[0]!.role === 'user', 'does not begin with the user')
  contents.forEach(({ role, parts }, index) => {
    check(role === (index % 2 === 0 ? 'user' : 'model'), `turn ${index} is not the other's`)
    check(parts.length > 0, `turn ${index} is empty`)
    for (const part of parts) {
      const kinds = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'].filter(
        (kind) => kind in part,
      )
      check(kinds.length === 1, `a part of turn ${index} is ${kinds.join(' and ') || 'nothing'}`)
      if (part.functionCall) check(typeof part.functionCall.args === 'object', 'arguments are no object')
    }
    const results = parts.flatMap(({ functionResponse }) => (functionResponse ? [functionResponse.id] : []))
    const calls = (contents[index - 1]?.parts ?? []).flatMap(({ functionCall }) =>
      functionCall ? [functionCall.id] : [],
    )
    if (results.length > 0)
      check(JSON.stringify(results) === JSON.stringify(calls), `turn ${index} answers other calls`)
  })
  const declared = (body.tools ?? []) as { functionDeclarations: { name: string; description: unknown }[] }[]
  check(declared.length <= 1, 'declares tools in several places')
  for (const { name, description } of declared.flatMap((one) => one.functionDeclarations)) {
    check(/^[a-z_][a-z0-9_:.-]{0,63}$/i.test(name), `names a tool ${name}`)
    check(typeof description === 'string', `does not describe ${name}`)
  }
  const config = (body.generationConfig ?? {}) as { temperature?: number; stopSequences?: string[] }
  check((config.temperature ?? 0) <= 2, 'is too hot')
  check((config.stopSequences ?? []).length <= 5, 'stops at too much')
  const known = new Set('contents systemInstruction tools toolConfig generationConfig serviceTier'.split(' '))
  for (const name in body) check(known.has(name), `has ${name}`)
  return faults
}

/** Words of the conversation, which must all arrive. */
const wordsOf = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : Array.isArray(value)
      ? value.flatMap(wordsOf)
      : typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, inner]) =>
            name === 'text' || name === 'content' ? wordsOf(inner) : [],
          )
        : []

if (fixturesFolder === null) it.skip(`translates recorded requests of other dialects (${NO_FIXTURES})`, () => {})
else
  describe('recorded requests of other dialects', () => {
    it('are there', () => {
      expect(requests.length).toBeGreaterThanOrEqual(70)
    })

    describe.each(['gemini-2.5-flash', 'gemini-3-pro-preview'])('for %s', (model) => {
      it.each(requests)('are what it takes: $name', ({ from, body }) => {
        const { body: translated } = translateRequest({ from, to: gemini }, body, PLACE, { model, streamUsage: false })
        expect(faultsOf(translated)).toEqual([])
        const sent = JSON.stringify(translated)
        const turns = (body.messages as Json[]).filter(({ role }) => role !== 'tool')
        for (const word of turns.flatMap(wordsOf).filter((one) => one.trim() !== ''))
          expect(sent).toContain(JSON.stringify(word).slice(1, -1))
      })
    })
  })
