import { basename } from 'node:path'
import type { ReloadState } from '../reload.ts'
import type { Routing } from '../routing/types.ts'
import type { Project } from '../store/store.ts'
import { definePage } from './frame/page.ts'
import type { Visit } from './frame/visit.ts'
import type { Explanation } from './routing/question.ts'
import { ENDPOINTS, type Explained, readExplained } from './routing/question.ts'
import { type RouteTable, readRoutes } from './routing/table.ts'
import { type Told, tellExplanation } from './routing/tell.ts'
import { RECOVERY_WORDS, STRATEGY_WORDS, tellCondition, tellGoal, tellRetryOn } from './routing/words.ts'

const LIVE_MS = 3_000
const MAX_RULES = 200

type Data = {
  table: RouteTable
  rules: { name: string; when: string[]; goal: string; weight: number | null }[]
  hiddenRules: number
  usual: Routing
  retryOn: string
  words: { strategies: typeof STRATEGY_WORDS; recoveries: typeof RECOVERY_WORDS }
  /** Its name; null: there is none. */
  file: string | null
  reload: ReloadState
  explained: Explained
  told: Told | null
  projects: Project[]
  endpoints: readonly string[]
}

/** Where requests go, and why: routes and rules in force, what holds for all, and a question of what would happen. */
export const routing = definePage<Data>({
  path: '/routing',
  title: 'Routing',
  view: 'routing',
  nav: { icon: 'routing', key: 'o', group: 'Run' },
  needs: 'read_gateway',
  load,
  live: { view: 'routing/table', everyMs: LIVE_MS, load: async (visit) => ({ table: await readRoutes(visit) }) },
  csv,
  actions: {
    reload: {
      needs: 'write',
      run: async ({ ctx, actor }) => ({ shown: await ctx.reload.now(actor, 'asked for in the console') }),
    },
  },
})

async function load(visit: Visit): Promise<Data> {
  const { ctx, reads } = visit
  const projects = await reads.projects()
  const [table, explained] = await Promise.all([readRoutes(visit), readExplained(visit, projects)])
  const usual = ctx.routing.ofFile()
  const { rules, retry } = usual
  const { explanation } = explained
  return {
    table,
    rules: rules.slice(0, MAX_RULES).map((rule) => ({
      name: rule.name,
      when: tellCondition(rule.when),
      goal: tellGoal(rule),
      weight: rule.weight,
    })),
    hiddenRules: Math.max(0, rules.length - MAX_RULES),
    usual,
    retryOn: tellRetryOn(retry.on),
    words: { strategies: STRATEGY_WORDS, recoveries: RECOVERY_WORDS },
    file: ctx.config.configFile === null ? null : basename(ctx.config.configFile),
    reload: ctx.reload.state(),
    explained,
    told: explanation && (await tell(visit, explanation, projects)),
    projects,
    endpoints: ENDPOINTS,
  }
}

async function tell({ ctx, reads }: Visit, explanation: Explanation, projects: readonly Project[]): Promise<Told> {
  const { token_id, project_id } = explanation
  const name = projects.find(({ id }) => id === project_id)?.name ?? project_id
  const token = token_id === null ? null : await reads.token(token_id)
  const { routes, rules } = await ctx.routing.current()
  return tellExplanation(explanation, {
    asker: token
      ? `The token ${token.name ?? `…${token.last4}`} of the project ${name}.`
      : `The project ${name}, without the limits of a token.`,
    rules: rules.length,
    isRoute: (pattern) => routes.some((route) => route.pattern === pattern),
  })
}

async function csv(visit: Visit) {
  const { rows } = await readRoutes(visit, Number.POSITIVE_INFINITY)
  return {
    name: 'routes',
    columns: [
      'pattern',
      'origin',
      'in_force',
      'strategy',
      'step',
      'provider',
      'model',
      'weight',
      'health',
      'in_flight',
      'first_event_ms',
      'error_rate',
    ],
    rows: rows.flatMap((route) =>
      route.targets.map(({ provider, model, weight, figures }, index) => [
        route.pattern,
        route.origin,
        String(route.in_force),
        route.strategy,
        index + 1,
        provider,
        model,
        weight,
        figures.health,
        figures.inFlight,
        figures.firstEventMs === null ? null : Math.round(figures.firstEventMs),
        figures.errorRate,
      ]),
    ),
  }
}
