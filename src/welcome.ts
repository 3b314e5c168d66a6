import { relative } from 'node:path'
import type { AppContext } from './context.ts'
import { SYSTEM } from './domain/audit.ts'
import { createToken } from './domain/tokens.ts'
import { DEMO_MODEL } from './providers/demo.ts'

const FIRST_TOKEN_MINUTES = 24 * 60

type Facts = {
  ctx: AppContext
  url: string
  projectId: string
  managementTokenFile: string | null
  /** Of `findSetup`. */
  setup: Setup | null
}

type Setup = { link: string; codeFile: string }

/** How the first admin user is made; null when there is one, or no console. Whoever has the link may do it. */
export async function findSetup({ admin, config, log }: AppContext, url: string): Promise<Setup | null> {
  if (!config.admin.enabled) return null
  const { codeFile } = admin.setup
  const code = await admin.setup.code().catch((cause) => {
    log.error('the first admin user cannot be set up; use "llm-proxy admin create"', { cause })
    return null
  })
  return code === null ? null : { link: `${config.admin.publicUrl ?? url}/admin/setup?code=${code}`, codeFile }
}

/**
 * What a person at a terminal reads after a start: where everything is and, the first time, a request that works at once. Never
 * called without a terminal, because it shows a token.
 */
export async function welcome({ ctx, url, projectId, managementTokenFile, setup }: Facts): Promise<string> {
  const demo = ctx.providers.get('demo') !== null
  const providers = ctx.providers.list().filter(({ sharedKey }) => sharedKey !== null)
  const { enabled } = ctx.config.admin
  const lines = [
    '',
    `  LLM Proxy is ready at ${url}/v1`,
    '',
    ...(enabled ? [`  Admin             ${url}/admin`] : []),
    `  Management API    ${url}/docs`,
    `  Management token  ${managementTokenFile ? relative(process.cwd(), managementTokenFile) : 'as set in MANAGEMENT_TOKEN'}`,
    `  Providers         ${providers.map(({ name }) => name).join(', ') || 'those of your projects'}`,
  ]
  if (demo && providers.length === 1) {
    lines.push(
      '',
      `  No provider key is set: the built-in model "${DEMO_MODEL}" answers. Set OPENAI_API_KEY (or another) and restart for a real one.`,
    )
  }
  if (setup) lines.push('', '  Make the first admin user (the link is good once):', '', `  ${setup.link}`)
  const isFirstStart = (await ctx.store.tokens.list({ now: ctx.now() }, { limit: 1 })).data.length === 0
  if (isFirstStart) lines.push(...(await firstRequest(ctx, url, projectId, demo ? DEMO_MODEL : 'gpt-4o-mini')))
  return `${lines.join('\n')}\n\n`
}

async function firstRequest(
  { store, now }: AppContext,
  url: string,
  projectId: string,
  model: string,
): Promise<string[]> {
  const { secret } = await createToken({ store, now }, SYSTEM, {
    project_id: projectId,
    name: 'first start',
    duration_minutes: FIRST_TOKEN_MINUTES,
  })
  return [
    '',
    '  Try it (the token is good for 24 hours, and is shown only now):',
    '',
    `  curl ${url}/v1/chat/completions \\`,
    `    -H "Authorization: Bearer ${secret}" \\`,
    '    -H "Content-Type: application/json" \\',
    `    -d '{"model":"${model}","messages":[{"role":"user","content":"Hello!"}]}'`,
  ]
}
