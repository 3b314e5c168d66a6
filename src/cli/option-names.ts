const OPTIONS: Record<string, string> = {
  name: '--name',
  project_id: '--project',
  is_active: '--active',
  max_requests: '--max-requests',
  rate_limit: '--rpm',
  'rate_limit.requests_per_minute': '--rpm',
  'rate_limit.tokens_per_minute': '--tpm',
  'rate_limit.concurrent_requests': '--concurrent',
  budgets: '--budget',
  allowed_models: '--models',
  allowed_endpoints: '--endpoints',
  allowed_ips: '--ips',
  metadata: '--metadata',
  expires_at: '--expires',
  duration_minutes: '--duration',
  provider_keys: '--provider-key',
  provider: 'the provider',
  key: 'the key',
  weight: '--weight',
  role: '--role',
  password: 'the password',
}

/** How the command line calls a field of the wire: `allowed_ips.0` → `--ips (entry 1)`. */
export function optionOfField(field: string): string {
  const exact = OPTIONS[field]
  if (exact) return exact
  const [, list, index, part] = /^(\w+)\.(\d+)(?:\.(\w+))?$/.exec(field) ?? []
  const option = list && OPTIONS[list]
  if (!option) return field
  return `${option} (entry ${Number(index) + 1}${part ? `, ${OPTIONS[part] ?? part}` : ''})`
}
