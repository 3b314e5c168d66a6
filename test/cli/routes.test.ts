import { describe, expect, it } from '@jest/globals'
import { aRoute, aStamp } from '../store/samples.ts'
import { givenGateway } from './given.ts'

const YAML = `
routes:
  gpt-4: { targets: [ { provider: openai }, { provider: anthropic, model: claude-3-opus } ] }
  taken: { targets: [ { provider: openai } ] }
`

describe.each(['database', 'address'] as const)('routes, working through the %s', (through) => {
  const start = async () => {
    const given = await givenGateway({ files: { 'llm-proxy.yaml': YAML } }, through)
    const route = aRoute({ pattern: 'fast-*' })
    for (const one of [route, aRoute({ pattern: 'taken' })]) await given.gateway.ctx.store.routes.create(one, aStamp())
    return { ...given, route }
  }

  it('lists those of the file and those of the database', async () => {
    const { print, json, route } = await start()
    const table = await print('routes list')
    expect(table).toMatch(/^PATTERN +STRATEGY +TARGETS +ORIGIN +ID$/m)
    expect(table).toMatch(/^gpt-4 +fallback +openai, anthropic:claude-3-opus +file +–$/m)
    expect(table).toMatch(/^fast-\* +weighted +openai:gpt-4o \(2\.5\), anthropic \(1\) +database +rte_/m)
    expect(table).toMatch(/^taken +weighted .* database \(not in force: the file has one\) +rte_/m)
    const { data } = await json('routes list')
    expect(data.map(({ pattern, origin, in_force }) => [pattern, origin, in_force])).toEqual([
      ['gpt-4', 'file', true],
      ['taken', 'file', true],
      ['fast-*', 'database', true],
      ['taken', 'database', false],
    ])
    expect(data[2]).toMatchObject({ id: route.id, timeouts: { connect_ms: 500, total_ms: 60_000, idle_ms: null } })
  })

  it('shows one by its pattern or id', async () => {
    const { print, json, cli, route } = await start()
    const shown = await print('routes show fast-*')
    expect(shown).toMatch(/^target 1 +openai:gpt-4o \(2\.5\), idle 1000 ms$/m)
    expect(shown).toMatch(/^timeouts +connect 500 ms, total 60000 ms$/m)
    expect(await print(`routes show ${route.id}`)).toBe(shown)
    expect(await json('routes show taken')).toMatchObject({ origin: 'file' })
    expect(await cli('routes show none')).toEqual({
      code: 1,
      out: '',
      err: 'error: There is no route with this pattern or id: "llm-proxy routes list" shows all.\n',
    })
  })
})

it('routes list says how it is without any', async () => {
  const { print } = await givenGateway()
  expect(await print('routes list')).toMatch(/^No routes: each request goes to the one provider/)
})
