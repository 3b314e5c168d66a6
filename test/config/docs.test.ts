import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { GENERATED, YAML_EXAMPLE } from '../../scripts/generate-docs.ts'
import { environmentNamesOf, OPTION_NAMES, optionOf, yamlPathOf } from '../../src/config/schema.ts'
import { load } from './load-from.ts'

const ROOT = join(import.meta.dirname, '..', '..')

describe('the documentation of the configuration', () => {
  it.each(Object.entries(GENERATED))('%s says what the program does (else: npm run docs:generate)', (path, render) => {
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(render())
  })

  it('names every option, its aliases and its YAML key', () => {
    const page = GENERATED['docs/configuration.md']()
    for (const name of OPTION_NAMES) {
      for (const spelling of environmentNamesOf(name)) expect(page).toContain(`\`${spelling}\``)
      if (yamlPathOf(name) !== null) expect(page).toContain(`\`${yamlPathOf(name)}\``)
    }
  })

  it('has a YAML example that works', () => {
    const env = { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-2' }
    const { config, warnings } = load(env, { 'llm-proxy.yaml': YAML_EXAMPLE })
    expect(warnings).toEqual([])
    expect(config).toMatchObject({ host: '0.0.0.0', timeouts: { firstTokenMs: 30_000 }, rateLimit: { requests: 600 } })
  })

  it('has a .env.example that changes nothing, also when every line of it is uncommented', () => {
    const example = GENERATED['.env.example']()
    const uncommented = example.replace(/^#(?=[A-Z])/gm, '')
    const expected = OPTION_NAMES.filter((name) => optionOf(name).group !== 'later')
    expect(Object.keys(parseEnv(uncommented)).sort()).toEqual(expected.sort())
    const { config, warnings } = load({}, { '.env': uncommented })
    expect(warnings).toEqual([])
    expect({ ...config, dataDir: '' }).toEqual({ ...load({}, { '.env': example }).config, dataDir: '' })
  })
})
