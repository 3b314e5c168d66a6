import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { OPTION_NAMES, optionOf, yamlPathOf } from '../../src/config/schema.ts'
import { conditionFields, updateRouteInput } from '../../src/routing/route-schema.ts'
import { FEATURES, RECOVERIES, STRATEGIES } from '../../src/routing/types.ts'
import { given } from '../manage/given.ts'
import { load } from './load-from.ts'

const page = readFileSync(new URL('../../docs/routing.md', import.meta.url), 'utf8')
const blocks = (language: string) =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')), ([, block]) => block!)

describe('docs/routing.md', () => {
  const examples = blocks('yaml')

  it.each(examples.map((text, index) => [index + 1, text] as const))('has a YAML example %i that works', (_, text) => {
    const { warnings, config } = load({}, { 'llm-proxy.yaml': text })
    expect(warnings).toEqual([])
    expect(config.configFile).not.toBeNull()
  })

  it('shows every key in an example', () => {
    const shown = new Set(examples.flatMap((text) => keysOf(parse(text))))
    const options = OPTION_NAMES.filter((name) =>
      optionOf(name).yaml?.match(/^(?:retry|breaker|stream|keys|timeouts)\./),
    )
    expect(options).toHaveLength(19)
    const routeKeys = Object.keys(updateRouteInput(['openai']).shape).filter((key) => key !== 'pattern')
    const wanted = [
      ...options.map((name) => yamlPathOf(name)!),
      ...routeKeys.map((key) => `routes.*.${key}`),
      ...['provider', 'model', 'weight', 'timeouts'].map((key) => `routes.*.targets.${key}`),
      ...['name', 'route', 'provider', 'model', 'weight'].map((key) => `rules.${key}`),
      'app_config.failover_routes.*.attempts.backend',
    ]
    expect(wanted.filter((key) => !shown.has(key))).toEqual([])
    const conditions = Object.keys(conditionFields)
    expect(conditions.filter((key) => ![...shown].some((one) => one.startsWith(`rules.when.${key}`)))).toEqual([])
  })

  it('names every word that a key may hold', () => {
    for (const word of [...STRATEGIES, ...RECOVERIES, ...FEATURES]) expect(page).toContain(`\`${word}\``)
  })

  it('has requests for the management API that it takes', async () => {
    const { post } = await given()
    const bodies = blocks('json')
    expect(bodies).toHaveLength(1)
    for (const body of bodies) expect((await post('/manage/routes', body)).status).toBe(201)
  })
})

/** Dotted paths; names of routes are `*`, places in lists are left out. */
function keysOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => keysOf(item, path))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => {
    const step = /^(?:routes|app_config\.failover_routes)$/.test(path) ? '*' : key
    const own = path === '' ? step : `${path}.${step}`
    return [own, ...keysOf(part, own)]
  })
}
