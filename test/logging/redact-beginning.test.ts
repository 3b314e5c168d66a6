import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generateToken } from '../../src/domain/secrets.ts'
import { redact, redactBeginning, registerSecret } from '../../src/redact.ts'

const TAIL = 'Ab3dEf6hIj9kLm2nOp5q'
const REGISTERED = ['Rw8registered1secret', 'Rw8 two words, and/a+slash=', 'Rw8quote"and\\slash']
for (const secret of REGISTERED) registerSecret(secret)

/** Texts with a secret, and the first three of its own characters. */
const TEXTS: [text: string, begins: string][] = [
  [`my token is sk-${TAIL}, so`, 'Ab3'],
  [`{"content":"a\\nsk-proj-${TAIL}\\nb"}`, 'Ab3'],
  [`Authorization: Bearer ${TAIL}== next`, 'Ab3'],
  [`{"a":"Bearer Ab3\\/${TAIL}"}`, 'Ab3'],
  [`cookie: theme=Ab3; session=${TAIL}; Path=/`, 'Ab3'],
  [`{"password":"Ab3 with blanks ${TAIL}","b":1}`, 'Ab3'],
  [`{"said":${JSON.stringify(JSON.stringify({ api_key: `Ab3, ${TAIL}` }))}}`, 'Ab3'],
  [`/v1/models?key=Ab3!${TAIL}&b=2`, 'Ab3'],
  [`["X-Api-Key","Ab3 ${TAIL}"]`, 'Ab3'],
  ...REGISTERED.map((secret): [string, string] => [`it is ${secret}, is it`, 'Rw8']),
  ...REGISTERED.map((secret): [string, string] => [JSON.stringify({ it: `is\n${secret}\nis it` }), 'Rw8']),
]

describe('the beginning of a text that was cut', () => {
  it.each(TEXTS)('has nothing of its secret, wherever the cut is: %s', (text, begins) => {
    for (let cut = 0; cut <= text.length; cut++) {
      const beginning = redactBeginning(text.slice(0, cut))
      expect([text.slice(0, cut), beginning]).toEqual([text.slice(0, cut), expect.not.stringContaining(begins)])
    }
  })

  it('has nothing of a proxy token, wherever the cut is and whatever is around it', () => {
    const around = fc.string({
      unit: fc.constantFrom(' ', '"', "'", ':', '=', ',', '{', '/', '\\', '\n', 'é', '(', '<'),
    })
    fc.assert(
      fc.property(around, around, fc.nat(50), (before, behind, cut) => {
        const token = generateToken()
        const text = `${before}${token}${behind}`
        expect(redactBeginning(text.slice(0, before.length + cut))).not.toContain(token.slice(3, 6))
      }),
    )
  })

  it('has nothing of a secret that this one text must not show', () => {
    const own = 'any <text> of one’s own'
    for (let cut = 0; cut < own.length; cut++)
      expect(redactBeginning(`it is: ${own.slice(0, cut)}`, [own])).not.toContain('any')
    expect(redactBeginning(`it is: ${own}, and`, [own])).toBe('it is: [redacted], ')
  })

  it('has all the rest, up to the word that was cut', () => {
    expect(redactBeginning('The quick brown fox jum')).toBe('The quick brown fox ')
    expect(redactBeginning('{"messages":[{"role":"user","content":"Grüße')).toBe(
      '{"messages":[{"role":"user","content":"Grüß',
    )
    expect(redactBeginning('data: {"a":1}\n\ndata: {"b":2}\n\n')).toBe('data: {"a":1}\n\ndata: {"b":2}\n\n')
    expect(redactBeginning('{"content":"a line\\')).toBe('{"content":"a ')
    expect(redactBeginning('')).toBe('')
  })

  it('says what the whole text says, as far as it goes', () => {
    const text = `{"messages":[{"content":"with sk-${TAIL} and Rw8registered1secret and 漢字"}],"n":1}`
    for (let cut = 0; cut < text.length; cut++)
      expect(redact(text).startsWith(redactBeginning(text.slice(0, cut)))).toBe(true)
  })

  it('is found quickly, made to be slow or not', () => {
    const begun = performance.now()
    for (const text of ['a'.repeat(500_000), '\\/'.repeat(250_000), 'Rw8 two '.repeat(60_000)]) redactBeginning(text)
    expect(performance.now() - begun).toBeLessThan(2_000)
  })
})
