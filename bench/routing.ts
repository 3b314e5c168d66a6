import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Workshop } from './processes.ts'
import { sideBySide } from './side-by-side.ts'

const OTHERS = 100

/** What routing costs: a model of a route with two targets, among a hundred other routes, behind rules that ask for other things. */
export const benchRouting = (workshop: Workshop, quick: boolean) =>
  sideBySide(workshop, quick, {
    'no routes': () => ({}),
    'routes and rules': (upstream) => {
      const path = join(workshop.folder, 'routes.yaml')
      writeFileSync(path, yaml(upstream))
      return { LLM_PROXY_CONFIG: path, SECOND_API_KEY: 'bench-provider-key-0000000003' }
    },
  })

const yaml = (upstream: string) => `
providers:
  second: { kind: openai, base_url: "${upstream}/v1", api_key: "\${SECOND_API_KEY}" }
routes:
  gpt-4o-mini: { targets: [{ provider: openai }, { provider: second }] }
${Array.from({ length: OTHERS }, (_, i) => `  "other-${i}-*": { targets: [{ provider: openai }, { provider: second }] }`).join('\n')}
rules:
  - { name: long, when: { model: "gpt-*", prompt_tokens: { gt: 100000 } }, provider: second }
  - { name: pictures, when: { has: [images] }, provider: second }
  - { name: gold, when: { header.x-tier: gold }, provider: second }
`
