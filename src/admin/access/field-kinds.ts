import type { FieldKind } from '../frame/form.ts'

const LIMIT_FIELDS = {
  'rate_limit.requests_per_minute': 'number',
  'rate_limit.tokens_per_minute': 'number',
  'rate_limit.concurrent_requests': 'number',
  allowed_models: 'lines',
  metadata: 'json',
} satisfies Record<string, FieldKind>

/** The fields of a project's form but its budgets, which are rows (see budget-fields.ts). */
export const PROJECT_FIELDS = { name: 'text', ...LIMIT_FIELDS } satisfies Record<string, FieldKind>

/** The same of a token's. */
export const TOKEN_FIELDS = {
  name: 'text',
  max_requests: 'number',
  ...LIMIT_FIELDS,
  allowed_endpoints: 'lines',
  allowed_ips: 'lines',
} satisfies Record<string, FieldKind>
