import { createProject } from '../domain/projects.ts'
import { type BudgetFields, budgetFields, withBudgets } from './access/budget-fields.ts'
import { PROJECT_FIELDS } from './access/field-kinds.ts'
import { toInput } from './frame/form.ts'
import { definePage } from './frame/page.ts'

type Data = { providerNames: readonly string[]; budgetFields: BudgetFields }

export const projectNew = definePage<Data>({
  path: '/projects/new',
  title: 'New project',
  view: 'project-new',
  crumbs: () => [{ label: 'Projects', href: '/admin/projects' }],
  needs: 'write',
  load: async ({ parts, failure }) => ({
    providerNames: parts.providerNames,
    budgetFields: budgetFields(null, failure?.values),
  }),
  actions: {
    create: {
      needs: 'write',
      async run({ parts, actor }, form) {
        const fields = toInput(form, PROJECT_FIELDS)
        const key = form.text('provider_keys.0.key')
        const keys = key === '' ? [] : [{ provider: form.text('provider_keys.0.provider'), key }]
        const input = { ...fields, ...(keys.length > 0 && { provider_keys: keys }) }
        const { project } = await withBudgets(form, input, (body) => createProject(parts, actor, body))
        return { to: `/admin/projects/${project.id}`, notice: `The project ${project.name} is there.` }
      },
    },
  },
})
