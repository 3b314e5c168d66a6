import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { makeFolder } from '../helpers/folder.ts'
import { startConsole, textOf } from './helpers.ts'

describe('reading the configuration again', () => {
  const FIRST = 'routes: { fast: { targets: [ { provider: openai } ] } }\n'

  it('says what was taken over, what needs a restart, and who asked', async () => {
    const dataDir = makeFolder({ 'llm-proxy.yaml': FIRST })
    const other = await startConsole({ dataDir })
    try {
      const somebody = await other.as('admin')
      writeFileSync(join(dataDir, 'llm-proxy.yaml'), `${FIRST}breaker: { failures: 9 }\nmax_body_mb: 3\n`)
      const page = await somebody.post('/admin/routing/reload')
      expect(page.status).toBe(200)
      const text = textOf(page)
      expect(text).toContain('The configuration was read again. Taken over: BREAKER_FAILURES.')
      expect(text).toMatch(/Needs a restart MAX_BODY_MB/)
      expect(text).toContain('opens after 9 failures')
      const { data } = await other.ctx.store.audit.list({ action: 'config.reload' }, { limit: 5 })
      expect(data).toMatchObject([{ actor: `admin:${somebody.user.name}`, outcome: 'success' }])
    } finally {
      await other.stop()
    }
  })

  it('lists all problems, and leaves everything as it was', async () => {
    const dataDir = makeFolder({ 'llm-proxy.yaml': FIRST })
    const other = await startConsole({ dataDir })
    try {
      const somebody = await other.as('owner')
      const wrong = ['a', 'b', 'c', 'd'].map((name) => `  ${name}: { targets: [ { provider: nobody-${name} } ] }`)
      writeFileSync(join(dataDir, 'llm-proxy.yaml'), `routes:\n${wrong.join('\n')}\n`)
      const page = await somebody.post('/admin/routing/reload')
      expect(page.status).toBe(400)
      const text = textOf(page)
      expect(text).toContain('the one before stays in force')
      for (const name of ['a', 'b', 'c', 'd']) expect(text).toContain(`routes.${name}.targets[0].provider`)
      expect(text).toContain('fast file fallback')
    } finally {
      await other.stop()
    }
  })
})

it('a gateway without routes teaches what one is good for', async () => {
  const other = await startConsole()
  try {
    const text = textOf(await (await other.as('viewer')).get('/admin/routing'))
    expect(text).toContain('No routes yet')
    expect(text).not.toContain('Create a route')
    expect(textOf(await (await other.as('admin')).get('/admin/routing'))).toContain('Create a route')
  } finally {
    await other.stop()
  }
})
