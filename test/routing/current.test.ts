import { describe, expect, it } from '@jest/globals'
import { createRouting } from '../../src/routing/current.ts'
import type { Route, Routing } from '../../src/routing/types.ts'
import type { StoredRoute } from '../../src/store/store.ts'
import { load } from '../config/load-from.ts'
import { aRoute } from '../store/samples.ts'

const file = (yaml: string): Routing => load({}, { 'llm-proxy.yaml': yaml }).config.routing
const ONE = file('routes: { gpt-4: { targets: [ { provider: openai } ] } }')
const TWO = file('routes: { fast: { targets: [ { provider: groq } ] } }')

/** A database whose answers come when the test says so. */
function given() {
  let rows: StoredRoute[] = []
  let revision = 1
  const asked: (() => void)[] = []
  const store = {
    revision: () => revision,
    routes: {
      list: () => {
        const now = rows
        return new Promise<StoredRoute[]>((resolve) => asked.push(() => resolve(now)))
      },
    },
  }
  return {
    routing: createRouting({ store, file: ONE }),
    asked,
    change(next: StoredRoute[] = rows) {
      rows = next
      revision++
    },
  }
}

const names = ({ routes }: Routing) => routes.map(({ pattern }: Route) => pattern)

describe('the routing of this moment', () => {
  it('has the routes of the file and then those of the database, and reads them once', async () => {
    const { routing, asked, change } = given()
    change([aRoute({ pattern: 'gpt-4' }), aRoute({ pattern: 'a*' })])
    const both = [routing.current(), routing.current()]
    expect(asked).toHaveLength(1)
    asked[0]!()
    const [first, second] = await Promise.all(both)
    expect(names(first!)).toEqual(['gpt-4', 'gpt-4', 'a*'])
    expect(first!.routes.map(({ origin }) => origin)).toEqual(['file', 'database', 'database'])
    expect(second).toBe(first)
    expect(routing.current()).toBe(first)
    expect(names(routing.ofFile())).toEqual(['gpt-4'])
    expect(first!.timeouts).toBe(ONE.timeouts)
  })

  it('is another behind a change of the routes, and the same behind one of something else', async () => {
    const { routing, asked, change } = given()
    const first = routing.current()
    asked[0]!()
    const before = await first
    change()
    const same = routing.current()
    asked[1]!()
    expect(await same).toBe(before)
    change([aRoute({ pattern: 'new' })])
    const other = routing.current()
    asked[2]!()
    expect(names(await other)).toEqual(['gpt-4', 'new'])
    expect(names(before)).toEqual(['gpt-4'])
  })

  it('is never one from before the change that a request came behind, however late the database answers', async () => {
    const { routing, asked, change } = given()
    change([aRoute({ pattern: 'one' })])
    const one = routing.current()
    change([aRoute({ pattern: 'two' })])
    const two = routing.current()
    asked[0]!()
    asked[1]!()
    expect(names(await one)).toEqual(['gpt-4', 'two'])
    expect(names(await two)).toEqual(['gpt-4', 'two'])
    expect(names(await routing.current())).toEqual(['gpt-4', 'two'])

    change([aRoute({ pattern: 'three' })])
    const three = routing.current()
    change([aRoute({ pattern: 'four' })])
    const four = routing.current()
    asked[3]!()
    expect(names(await four)).toEqual(['gpt-4', 'four'])
    asked[2]!()
    expect(names(await three)).toEqual(['gpt-4', 'four'])
    expect(names(await routing.current())).toEqual(['gpt-4', 'four'])
  })

  it('reads again when something changed while it read', async () => {
    const { routing, asked, change } = given()
    const first = routing.current()
    change([aRoute({ pattern: 'late' })])
    asked[0]!()
    expect(names(await first)).toEqual(['gpt-4'])
    const second = routing.current()
    asked[1]!()
    expect(names(await second)).toEqual(['gpt-4', 'late'])
  })

  it('takes another file at once, whole, and leaves what was handed out as it was', async () => {
    const { routing, asked } = given()
    const first = routing.current()
    asked[0]!()
    const before = await first
    routing.replace(TWO)
    expect(names(routing.current() as Routing)).toEqual(['fast'])
    expect(names(before)).toEqual(['gpt-4'])
  })

  it('fails while the database does, and recovers with it', async () => {
    let broken = true
    const store = {
      revision: () => 1,
      routes: { list: () => (broken ? Promise.reject(new Error('locked')) : Promise.resolve([])) },
    }
    const routing = createRouting({ store, file: ONE })
    await expect(routing.current()).rejects.toThrow('locked')
    broken = false
    expect(await routing.current()).toBe(ONE)
  })
})
