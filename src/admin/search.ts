import { redact } from '../redact.ts'
import { definePage } from './frame/page.ts'
import { type Names, readNames } from './names.ts'
import { findById } from './search/by-id.ts'
import { type Found, findByName } from './search/by-name.ts'

type Data = {
  query: string
  /** A secret was looked for, which nothing has. */
  wasSecret: boolean
  found: Found
} & Pick<Names, 'projects'>

const MAX_QUERY = 200
const NOTHING: Found = { projects: [], tokens: [], models: [] }

/** One box for everything that has an id or a name. */
export const search = definePage<Data>({
  path: '/search',
  title: 'Search',
  view: 'search',
  async goTo(visit) {
    const text = visit.query.text('q')
    const found = await findById(visit, text)
    // The address of a page stands in its forms, and in the browser: not with a secret in it.
    return found ?? (redact(text) === text ? null : { to: '/admin/search?secret=1' })
  },
  async load({ reads, query, now }) {
    const text = query.text('q').slice(0, MAX_QUERY)
    const found = text === '' ? NOTHING : await findByName(reads, text, now)
    const { projects } = await readNames(
      reads,
      found.tokens.map(({ projectId }) => ({ projectId, tokenId: null })),
    )
    return { query: text, wasSecret: text === '' && query.checked('secret'), found, projects }
  },
})
