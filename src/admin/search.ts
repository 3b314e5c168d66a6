import { redact } from '../redact.ts'
import { definePage } from './frame/page.ts'
import { type Names, readNames } from './names.ts'
import { findById } from './search/by-id.ts'
import { type Found, findByName } from './search/by-name.ts'

type Data = {
  /** Without secrets: a token that somebody pasted is not shown again. */
  query: string
  /** What was looked for is a secret, or looks like one. */
  isSecret: boolean
  found: Found
} & Pick<Names, 'projects'>

const MAX_QUERY = 200
const NOTHING: Found = { projects: [], tokens: [], models: [], isPartial: false }

/** One box for everything that has an id or a name. */
export const search = definePage<Data>({
  path: '/search',
  title: 'Search',
  view: 'search',
  goTo: async (visit) => findById(visit, visit.query.text('q')),
  async load({ reads, query, now }) {
    const text = query.text('q').slice(0, MAX_QUERY)
    const isSecret = redact(text) !== text
    const found = text === '' || isSecret ? NOTHING : await findByName(reads, text, now)
    const { projects } = await readNames(
      reads,
      found.tokens.map(({ projectId }) => ({ projectId, tokenId: null })),
    )
    return { query: isSecret ? '' : text, isSecret, found, projects }
  },
})
