import { updateProject } from '../domain/projects.ts'
import type { Project } from '../store/store.ts'
import { type BudgetFields, budgetFields, withBudgets } from './access/budget-fields.ts'
import { PROJECT_FIELDS } from './access/field-kinds.ts'
import { toInput } from './frame/form.ts'
import { definePage } from './frame/page.ts'

type Data = { project: Project; budgetFields: BudgetFields }

export const projectEdit = definePage<Data>({
  path: '/projects/:id/edit',
  title: 'Edit',
  view: 'project-edit',
  crumbs: ({ project }) => [
    { label: 'Projects', href: '/admin/projects' },
    { label: project.name, href: `/admin/projects/${project.id}` },
  ],
  needs: 'write',
  async load({ reads, params, failure }) {
    const project = await reads.project(params.id!)
    return { project, budgetFields: budgetFields(project.budgets, failure?.values) }
  },
  actions: {
    save: {
      needs: 'write',
      async run({ parts, actor, params, reads }, form) {
        const { id } = await reads.project(params.id!)
        const input = toInput(form, PROJECT_FIELDS)
        const { name } = await withBudgets(form, input, (body) => updateProject(parts, actor, id, body))
        return { to: `/admin/projects/${id}`, notice: `${name} is saved, and in force with the next request.` }
      },
    },
  },
})
