import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { environmentNamesOf, OPTION_NAMES, optionOf } from '../../src/config/schema.ts'
import { environmentOf, ROOT, readStages, textsOf } from './dockerfile.ts'

type Service = {
  build?: string
  image: string
  environment?: Record<string, string | null>
  secrets?: string[]
  volumes: string[]
  ports: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  stop_grace_period?: string
}
type Compose = {
  services: Record<'gateway' | 'prometheus' | 'grafana', Service>
  volumes: Record<string, unknown>
  secrets: Record<string, { file: string }>
}

const readYaml = (path: string) => parse(readFileSync(join(ROOT, path), 'utf8'))
const { services, volumes, secrets } = readYaml('docker-compose.yml') as Compose
const { gateway, prometheus, grafana } = services
const all = Object.values(services)
const mounts = all.flatMap((service) => service.volumes.map((volume) => volume.split(':')))
const image = readStages().at(-1)!

describe('docker compose', () => {
  it('runs the gateway, Prometheus and Grafana, with pinned versions of what is not ours', () => {
    expect(Object.keys(services)).toEqual(['gateway', 'prometheus', 'grafana'])
    expect(gateway.build).toBe('.')
    for (const service of [prometheus, grafana]) expect(service.image).toMatch(/:v?\d+\.\d+\.\d+$/)
  })

  it('publishes nothing beyond this machine', () => {
    for (const port of all.flatMap((service) => service.ports)) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
  })

  it('configures the gateway with options that exist', () => {
    const known = OPTION_NAMES.flatMap((name) =>
      environmentNamesOf(name).flatMap((spelling) => [
        spelling,
        ...(optionOf(name).secret ? [`${spelling}_FILE`] : []),
      ]),
    )
    expect(known).toEqual(expect.arrayContaining(Object.keys(gateway.environment!)))
  })

  it('holds no secret itself: each comes from a file, or from the environment of who starts it', () => {
    for (const [name, value] of all.flatMap((service) => Object.entries(service.environment ?? {}))) {
      if (!/KEY|TOKEN|PASSWORD/.test(name)) continue
      const file = name.endsWith('_FILE') ? value?.replace('/run/secrets/', '') : undefined
      if (file !== undefined) expect(secrets).toHaveProperty(file)
      else expect(value).toBeNull()
    }
    for (const service of all) for (const name of service.secrets ?? []) expect(secrets).toHaveProperty(name)
    for (const { file } of Object.values(secrets)) expect(file).toMatch(/^\.\/deploy\/secrets\//)
    expect(readFileSync(join(ROOT, 'deploy/secrets/.gitignore'), 'utf8')).toMatch(/^\*$/m)
  })

  it('keeps all data in named volumes, and mounts files that exist, read-only', () => {
    const bound = mounts.filter(([source]) => source!.startsWith('.'))
    const named = mounts.filter(([source]) => !source!.startsWith('.')).map(([source]) => source)
    expect(named.sort()).toEqual(Object.keys(volumes).sort())
    for (const [source, , mode] of bound) {
      expect(existsSync(join(ROOT, source!))).toBe(true)
      expect(mode).toBe('ro')
    }
    expect(gateway.volumes).toEqual([`gateway-data:${environmentOf(image).DATA_DIR}`])
  })

  it('checks the health of each, and starts each after the one that it asks', () => {
    expect(textsOf(image, 'HEALTHCHECK')).toHaveLength(1)
    for (const service of [prometheus, grafana]) expect(service.healthcheck!.test[0]).toBe('CMD')
    expect(prometheus.depends_on).toEqual({ gateway: { condition: 'service_healthy' } })
    expect(grafana.depends_on).toEqual({ prometheus: { condition: 'service_healthy' } })
  })

  it('waits longer for the gateway to stop than the gateway waits for its requests', () => {
    const graceMs = Number(
      /GRACE_MS = ([\d_]+)/.exec(readFileSync(join(ROOT, 'src/start.ts'), 'utf8'))![1]!.replace('_', ''),
    )
    expect(Number.parseInt(gateway.stop_grace_period!, 10) * 1000).toBeGreaterThan(graceMs)
  })
})

describe('Prometheus', () => {
  it('scrapes the gateway with the management token, from the same file that the gateway reads', () => {
    const { scrape_configs } = readYaml('deploy/prometheus.yml')
    expect(scrape_configs).toHaveLength(1)
    expect(scrape_configs[0]).toMatchObject({
      metrics_path: '/metrics',
      authorization: { type: 'Bearer', credentials_file: gateway.environment!.MANAGEMENT_TOKEN_FILE },
      static_configs: [{ targets: [`gateway:${environmentOf(image).PORT}`] }],
    })
    for (const service of [gateway, prometheus]) expect(service.secrets).toContain('management_token')
  })
})

describe('Grafana', () => {
  it('finds Prometheus by itself', () => {
    const { datasources } = readYaml('deploy/grafana/provisioning/datasources/prometheus.yml')
    expect(datasources).toHaveLength(1)
    expect(datasources[0]).toMatchObject({ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true })
    expect(grafana.volumes).toContain('./deploy/grafana/provisioning:/etc/grafana/provisioning:ro')
  })
})
