import type { AppContext } from '../../src/context.ts'
import { createAdminUser } from '../../src/domain/admin-users.ts'
import { SYSTEM } from '../../src/domain/audit.ts'
import { createProject } from '../../src/domain/projects.ts'
import { createRoute } from '../../src/domain/routes.ts'
import { createToken } from '../../src/domain/tokens.ts'
import { aRequest, keep, PASSWORD } from './helpers.ts'

/** What would run, or break out of its place, if a page showed it as it is. */
export const HOSTILE = `"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}<%= 7*7 %>`
/** Of it, what no page may contain. */
export const RAW = /<img src=x|<script>alert|onerror=alert\(1\)>/

const providerNames = ['openai', 'anthropic', 'demo']

/**
 * A house in which everything that somebody outside can name has a hostile name: projects, tokens, metadata, models, endpoints, user
 * agents, errors, users, routes, alerts.
 */
export async function fillWithHostility(ctx: AppContext, mark = HOSTILE) {
  const parts = { ...ctx, providerNames, defaultProvider: 'openai' }
  const actor = { name: 'management_token', ip: '127.0.0.1', userAgent: mark }
  const { project } = await createProject(parts, actor, {
    name: `${mark.slice(0, 60)}${Math.random()}`,
    metadata: { [mark]: mark },
    allowed_models: [mark],
    provider_keys: [{ provider: 'openai', key: 'sk-a-key-of-a-hostile-project-0000' }],
    budgets: [{ period: 'month', limit_usd: '0.001' }],
  })
  const { token } = await createToken(ctx, actor, {
    project_id: project.id,
    name: mark.slice(0, 100),
    metadata: { team: mark },
    allowed_models: [mark],
    allowed_endpoints: [`/${mark}`],
    budgets: [{ period: 'day', limit_usd: '0.0001' }],
  })
  const rows = Array.from({ length: 30 }, (_, i) =>
    aRequest({
      at: ctx.now() - i * 700_000 - 1,
      tokenId: token.id,
      projectId: project.id,
      model: i % 2 ? mark : 'gpt-4o',
      servedModel: mark,
      endpoint: `/v1/${mark}`,
      changes: [mark],
      attempts: [
        { provider: 'openai', model: mark, outcome: 'failed', status: 500, durationMs: 20, error: mark },
        { provider: 'openai', model: mark, outcome: 'answered', status: 200, durationMs: 80, error: null },
      ],
      ...(i % 3 === 0 && { status: 500, error: mark }),
      ...(i % 5 === 0 && { costNanoUsd: null, priceSource: null }),
    }),
  )
  await keep({ ctx }, rows)
  const pattern = `hostile-${mark.replace(/[^\w<>=()/'"-]/g, '').slice(0, 60)}`
  await createRoute({ ...parts, fileRoutes: () => [] }, actor, {
    pattern,
    targets: [{ provider: 'openai', model: mark.slice(0, 90) }],
  }).catch(() => null)
  await createAdminUser(ctx, SYSTEM, { name: `u ${mark}`.slice(0, 90), role: 'viewer', password: PASSWORD }).catch(
    () => null,
  )
  await ctx.store.alerts.add(
    {
      id: `alr_${Math.random()}`,
      key: mark + Math.random(),
      kind: mark,
      at: ctx.now(),
      text: mark,
      data: { mark },
      sendAt: null,
      attempts: 1,
      deliveredAt: null,
      lastError: mark,
    },
    {
      id: `aud_${Math.random()}`,
      at: ctx.now(),
      actor: mark,
      ip: null,
      userAgent: mark,
      action: 'alert.raise',
      targetId: mark,
      projectId: null,
      outcome: 'failure',
      reason: mark,
    },
  )
  // As after every action of a surface: with the key that is there now, the demo is off.
  await ctx.demo.refresh()
  return { project, token, rows }
}
