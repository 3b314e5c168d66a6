import { describe, expect, it } from '@jest/globals'
import { laterChanges } from '../../src/config/changes.ts'
import { load, problemsOf } from './load-from.ts'

const yaml = (text: string) => ({ 'llm-proxy.yaml': text })

describe('how many requests a provider is sent at once', () => {
  it('is said in the environment or in the file, with the line in front of it', () => {
    const { config, warnings } = load(
      { ANTHROPIC_MAX_CONCURRENT: '7', MOST: '30' },
      yaml(`providers:
  openai: { max_concurrent: 20, max_queued: 0, queue_timeout_ms: 2500 }
  anthropic: { max_concurrent: 9 }
  groq: { max_concurrent: "\${MOST}", max_queued: "\${LINE:-5}" }
  my-llm: { kind: openai, base_url: "http://h/v1", max_concurrent: 2, queue_timeout_ms: 100 }
`),
    )
    expect(warnings).toEqual([])
    const limits = Object.fromEntries(Object.entries(config.providers).map(([name, own]) => [name, own.limits]))
    expect(limits).toMatchObject({
      openai: { maxConcurrent: 20, maxQueued: 0, queueTimeoutMs: 2500 },
      anthropic: { maxConcurrent: 7, maxQueued: 100, queueTimeoutMs: 10_000 },
      groq: { maxConcurrent: 30, maxQueued: 5, queueTimeoutMs: 10_000 },
      'my-llm': { maxConcurrent: 2, maxQueued: 100, queueTimeoutMs: 100 },
    })
    expect(limits.mistral).toBeUndefined()
  })

  it('is refused by name where it makes no sense', () => {
    const files = yaml(`providers:
  openai: { max_concurrent: 0, max_queued: -1, queue_timeout_ms: soon }
  my-llm: { kind: openai, base_url: "http://h/v1", max_queued: many }
  mistral: { max_queue: 3 }
`)
    expect(problemsOf({}, files)).toEqual(
      expect.arrayContaining([
        'llm-proxy.yaml: providers.openai.max_concurrent: must be a whole number from 1 to 100000 (now "0")',
        'llm-proxy.yaml: providers.openai.max_queued: must be a whole number from 0 to 100000 (now "-1")',
        'llm-proxy.yaml: providers.openai.queue_timeout_ms: must be a whole number from 1 to 86400000 (now "soon")',
        'llm-proxy.yaml: providers.my-llm.max_queued: must be a whole number from 0 to 100000 (now "many")',
        'llm-proxy.yaml: providers.mistral.max_queue: unknown key; did you mean providers.mistral.max_queued?',
      ]),
    )
  })

  it('warns of a line in front of a provider that is sent everything', () => {
    const { warnings } = load({}, yaml('providers:\n  openai: { max_queued: 3 }\n'))
    expect(warnings).toEqual([
      'llm-proxy.yaml: providers.openai: max_queued and queue_timeout_ms have no effect without max_concurrent',
    ])
  })

  it('holds from the next start on when the file changes, and a reload says so', () => {
    const limited = (queued: number) =>
      load({}, yaml(`providers:\n  openai: { max_concurrent: 2, max_queued: ${queued} }\n`))
    const before = limited(3)
    expect(laterChanges(before, limited(3)).filter((name) => name !== 'LLM_PROXY_CONFIG')).toEqual([])
    expect(laterChanges(before, limited(4))).toContain('providers.openai')
  })
})
