import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Json } from '../../../src/formats/dialect.ts'
import { DIALECTS } from '../../../src/formats/dialects.ts'
import { gemini } from '../../../src/formats/gemini/index.ts'
import { ANY_SEAL, readSeal, writeSeal } from '../../../src/formats/gemini/seals.ts'
import { translateRequest } from '../../../src/formats/translate-request.ts'
import { loseNothing } from '../samples.ts'
import { aRequest } from './project.ts'

/* How Claude's seals travel through a client of this dialect. What all dialects make of seals stands in ../seals.test.ts. */

const anthropic = DIALECTS['anthropic-messages']!
const facts = {
  model: 'asked',
  now: 1_790_000_000,
  lose: loseNothing,
  request: aRequest({ reasoning: { effort: 'high', budgetTokens: null, shown: true }, streamUsage: true }),
}
const PLACE = { model: 'x', stream: false }

type Part = Json & { thoughtSignature?: string; functionCall?: Json }

describe('a client of gemini', () => {
  const claude: Json = {
    id: 'msg_1',
    type: 'message',
    model: 'claude-sonnet-4-5',
    content: [
      { type: 'thinking', thinking: 'Where?', signature: 'EqoB+/CkgIBRABGAIiQL==' },
      { type: 'redacted_thinking', data: 'EmwKAhgB+/==' },
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { town: 'Rome' } },
    ],
    stop_reason: 'tool_use',
    usage: { input_tokens: 1, output_tokens: 1 },
  }
  const thinking = { generationConfig: { thinkingConfig: { thinkingBudget: 2000, includeThoughts: true } } }
  const next = (contents: Json[]) => ({
    contents: [
      { role: 'user', parts: [{ text: 'Weather?' }] },
      ...contents,
      {
        role: 'user',
        parts: [{ functionResponse: { id: 'toolu_1', name: 'weather', response: { result: 'sunny' } } }],
      },
    ],
    ...thinking,
  })
  const sent = (contents: Json[], to = anthropic, model = 'claude-sonnet-4-5') =>
    translateRequest({ from: gemini, to }, next(contents), PLACE, { model, streamUsage: false }).body
  const contentOf = (answer: Json) => (answer.candidates as { content: Json }[])[0]!.content

  it('gives the seals of thoughts back, so that its model thinks on', () => {
    const answer = gemini.buildAnswer(anthropic.parseAnswer(claude), facts)
    const body = sent([contentOf(answer)])
    expect((body.messages as { content: Json[] }[])[1]!.content).toEqual(claude.content)
    expect(body.thinking).toEqual({ type: 'enabled', budget_tokens: 2000 })
  })

  it('may write seals in another alphabet of base64, as some SDKs do', () => {
    const content = contentOf(gemini.buildAnswer(anthropic.parseAnswer(claude), facts)) as { parts: Part[] }
    const parts = content.parts.map((part) =>
      part.thoughtSignature === undefined
        ? part
        : { ...part, thoughtSignature: Buffer.from(part.thoughtSignature, 'base64').toString('base64url') },
    )
    expect((sent([{ role: 'model', parts }]).messages as { content: Json[] }[])[1]!.content).toEqual(claude.content)
  })
})

const ELSEWHERE = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const

describe('a seal', () => {
  it('comes back as it went, whosever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.constantFrom(...ELSEWHERE), (seal, sealedIn) => {
        for (const one of [
          { signature: seal, sealedIn },
          { redacted: seal, sealedIn },
        ])
          expect(readSeal(writeSeal(one))).toEqual(one)
      }),
    )
  })

  it('of its own provider is not touched', () => {
    const own = { signature: 'c2VhbA==', sealedIn: 'gemini' as const }
    expect(readSeal('c2VhbA==')).toEqual(own)
    expect(writeSeal(own)).toBe('c2VhbA==')
  })

  it('that is none is none', () => {
    for (const none of [undefined, null, '', 5, ANY_SEAL]) expect(readSeal(none)).toEqual({})
    expect(writeSeal({})).toBeNull()
  })
})
