import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'

const SRC = join(import.meta.dirname, '../../../src')

/** Says whether the list of prices was asked for: once all that a start imports is there, and once a price was wanted. */
const SCRIPT = `
  import { registerHooks } from 'node:module'
  let asked = false
  registerHooks({
    resolve(name, context, next) {
      asked ||= name.includes('genai-prices')
      return next(name, context)
    },
  })
  await import('${SRC}/start.ts')
  const { createPrices } = await import('${SRC}/usage/prices/prices.ts')
  const prices = createPrices({ discounts: {}, models: [] })
  const atStart = asked
  prices.warm()
  console.log(JSON.stringify({ atStart, onceWarm: asked }))
`

it('does not make the start wait for the list of prices', () => {
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], { encoding: 'utf8' })
  expect(JSON.parse(said)).toEqual({ atStart: false, onceWarm: true })
})
