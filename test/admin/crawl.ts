import type { Answer, Visitor } from './helpers.ts'

/** Pages that were reached by their links, by path and query. */
export type Crawled = Map<string, Answer>

const MAX_PAGES = 400

/**
 * Follows every link of the console that this visitor is shown, in tables and filters too: each page once by its path, and a few by
 * their query.
 */
export async function crawl(visitor: Visitor, starts: string[]): Promise<Crawled> {
  const seen: Crawled = new Map()
  const perPath = new Map<string, number>()
  const waiting = [...starts]
  for (let path = waiting.shift(); path !== undefined && seen.size < MAX_PAGES; path = waiting.shift()) {
    if (seen.has(path)) continue
    const answer = await visitor.get(path)
    seen.set(path, answer)
    for (const link of linksIn(answer.html)) {
      const bare = link.split('?')[0]!
      const times = perPath.get(bare) ?? 0
      if (seen.has(link) || times >= 4) continue
      perPath.set(bare, times + 1)
      waiting.push(link)
    }
  }
  return seen
}

const linksIn = (html: string): string[] =>
  [...html.matchAll(/<a\s[^>]*href="(\/admin[^"#]*)/g)]
    .map(([, link]) => decodeEntities(link!))
    .filter((link) => !/\/assets\/|\/oidc\/|[?&]live=/.test(link))

const decodeEntities = (text: string) =>
  text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))).replaceAll('&amp;', '&')
