import { requireRoute } from '../domain/find.ts'
import { deleteRoute, presentStoredRoute, updateRoute } from '../domain/routes.ts'
import { definePage } from './frame/page.ts'
import { type Editing, edit, placeOf } from './routing/editing.ts'
import { saveRoute } from './routing/route-form.ts'

/** A route of the database, to be changed or deleted. Those of the file are changed there. */
export const routeEdit = definePage<Editing>({
  path: '/routing/:id/edit',
  title: ({ route }) => `Route ${route!.pattern}`,
  view: 'route',
  crumbs: () => [{ label: 'Routing', href: '/admin/routing' }],
  needs: 'write',
  async load(visit) {
    const stored = await requireRoute(visit.ctx.store, visit.params.id!)
    return edit(visit, presentStoredRoute(placeOf(visit), stored))
  },
  actions: {
    update: {
      needs: 'write',
      async run(visit, form) {
        const { pattern } = await saveRoute(form, (input) =>
          updateRoute(placeOf(visit), visit.actor, visit.params.id!, input),
        )
        return { to: '/admin/routing', notice: `The route ${pattern} is changed, from the next request on.` }
      },
    },
    delete: {
      needs: 'write',
      async run(visit) {
        await deleteRoute(visit.parts, visit.actor, visit.params.id!)
        return { to: '/admin/routing', notice: 'The route is deleted.' }
      },
    },
  },
})
