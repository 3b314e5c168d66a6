import { createToken } from '../domain/tokens.ts'
import { validationError } from '../domain/validate.ts'
import { type BudgetFields, budgetFields, withBudgets } from './access/budget-fields.ts'
import { TOKEN_FIELDS } from './access/field-kinds.ts'
import { projectChoices } from './access/project-choice.ts'
import { snippets } from './access/snippets.ts'
import { usableModel } from './access/usable-model.ts'
import { type Form, toInput } from './frame/form.ts'
import { definePage } from './frame/page.ts'

/** By what the form calls them, in minutes; `never` has none. */
const LIVES: Readonly<Record<string, number | null>> = { '1h': 60, '24h': 1440, '30d': 43_200, never: null }

/** Stands in examples where no model was found. */
const NO_MODEL = 'name-of-a-model'

type Data = { projects: [id: string, name: string][]; project: string; budgetFields: BudgetFields }

export const tokenNew = definePage<Data>({
  path: '/tokens/new',
  title: 'New token',
  view: 'token-new',
  crumbs: () => [{ label: 'Tokens', href: '/admin/tokens' }],
  needs: 'write',
  async load({ reads, query, failure }) {
    const project = query.text('project')
    const projects = projectChoices(await reads.projects(), project)
    return { projects, project, budgetFields: budgetFields(null, failure?.values) }
  },
  actions: {
    create: {
      needs: 'write',
      /** The secret is in this one answer, and nowhere else: not in an address, a notice, or a session. */
      async run(visit, form) {
        const { parts, actor, reads, origin } = visit
        const input = { project_id: form.text('project_id'), ...toInput(form, TOKEN_FIELDS), ...lifeOf(form) }
        const { token, secret } = await withBudgets(form, input, (body) => createToken(parts, actor, body))
        const project = await reads.project(token.projectId)
        const model = await usableModel(visit, token, project)
        return {
          shown: { token, project, secret, model, snippets: snippets({ origin, secret, model: model ?? NO_MODEL }) },
        }
      },
    },
  },
})

/** A date that was given holds; else the choice. */
function lifeOf(form: Form): Record<string, unknown> {
  const { expires_at } = toInput(form, { expires_at: 'time' })
  if (expires_at != null) return { expires_at }
  const life = form.text('life')
  if (!Object.hasOwn(LIVES, life)) throw validationError([{ field: 'life', reason: 'must be one of the choices' }])
  return { duration_minutes: LIVES[life] }
}
