import { createRoute } from '../domain/routes.ts'
import { definePage } from './frame/page.ts'
import { type Editing, edit, placeOf } from './routing/editing.ts'
import { saveRoute } from './routing/route-form.ts'

/** A route for the database. */
export const routeNew = definePage<Editing>({
  path: '/routing/new',
  title: 'New route',
  view: 'route',
  crumbs: () => [{ label: 'Routing', href: '/admin/routing' }],
  needs: 'write',
  load: async (visit) => edit(visit, null),
  actions: {
    create: {
      needs: 'write',
      async run(visit, form) {
        const { pattern } = await saveRoute(form, (input) => createRoute(placeOf(visit), visit.actor, input))
        return { to: '/admin/routing', notice: `The route ${pattern} holds from the next request on.` }
      },
    },
  },
})
