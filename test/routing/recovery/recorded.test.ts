import { describe, expect, it } from '@jest/globals'
import { type Dialect, UnreadableAnswer } from '../../../src/formats/dialect.ts'
import { DIALECTS } from '../../../src/formats/dialects.ts'
import { recordedStreams } from '../../formats/gemini/recorded.ts'
import { streams } from '../../formats/recorded.ts'
import { fixturesFolder, NO_FIXTURES } from '../../helpers/fixtures.ts'
import { cutAfter, heardIn, joined, meaningOf } from './cutting.ts'

if (fixturesFolder === null) it.skip(`joins recorded streams (${NO_FIXTURES})`, () => {})

const GEMINI = DIALECTS.gemini!
const nameOf = (data: string) => (data.startsWith('{') ? (JSON.parse(data) as { type?: string }).type : undefined)

const recorded = [
  ...streams.map(({ name, dialect, events }) => ({
    name,
    dialect,
    text: events
      .map((data) => `${dialect.name === 'anthropic-messages' ? `event: ${nameOf(data)}\n` : ''}data: ${data}\n\n`)
      .join(''),
  })),
  ...recordedStreams.map(({ name, chunks }) => ({
    name,
    dialect: GEMINI,
    text: chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join(''),
  })),
]

/** Some were recorded for what is wrong with them. */
function isSound(dialect: Dialect, text: string): boolean {
  try {
    return heardIn(dialect, text).at(-1)?.type === 'done'
  } catch (error) {
    if (error instanceof UnreadableAnswer) return false
    throw error
  }
}

/** So many places over the whole stream, and the same ones each time. */
const CUTS = 40

/** Where a source stands, and that a text is a refusal, is told by each in its own way. */
const plain = (answer: unknown) =>
  JSON.stringify(answer, (key, value) => (key === 'citations' ? undefined : value === 'refusal' ? 'text' : value))

function joints(dialect: Dialect, text: string): { tried: number; wrong: unknown[] } {
  const whole = Buffer.from(text)
  const events = heardIn(dialect, whole)
  const meant = meaningOf(events)
  const isOneAnswer = meant.candidates.length === 1
  const wrong: unknown[] = []
  let tried = 0
  for (let nth = 0; nth < CUTS; nth++) {
    const cut = Math.floor((whole.length * nth) / CUTS)
    const { passed, sent } = cutAfter(dialect, whole, cut)
    if (!sent?.isBegun) continue
    tried++
    const rest = joined(dialect, sent, events)
    // A second answer is one that the client has nothing of.
    if (!isOneAnswer && rest === null) continue
    const got = rest === null ? null : meaningOf(heardIn(dialect, passed + rest))
    if (plain(got) !== plain(meant)) wrong.push({ cut, got, meant })
  }
  return { tried, wrong }
}

describe.each(Object.values(DIALECTS))('recorded streams of $name', (dialect) => {
  const own = recorded.filter((one) => one.dialect === dialect && isSound(one.dialect, one.text))
  if (own.length === 0) return

  it('mean the same when they are cut anywhere and the same answer goes on with them', () => {
    let all = 0
    for (const { name, text } of own) {
      const { tried, wrong } = joints(dialect, text)
      all += tried
      expect([name, wrong.slice(0, 1)]).toEqual([name, []])
    }
    expect(all).toBeGreaterThan(own.length)
  })
})
