import { describe, expect, it } from '@jest/globals'
import { createDemoSwitch } from '../../src/providers/demo-switch.ts'

const URL = 'http://127.0.0.1:1/v1'

function given(keys: number) {
  const state = { keys, revision: 1, started: 0, closed: 0, broken: false }
  return {
    state,
    set(count: number) {
      state.keys = count
      state.revision++
    },
    options: {
      mode: 'auto' as boolean | 'auto',
      hasConfiguredKey: false,
      store: {
        revision: () => state.revision,
        providerKeys: {
          count: async () => {
            if (state.broken) throw new Error('disk')
            return state.keys
          },
        },
      },
      start: async () => {
        state.started++
        return { url: URL, close: async () => void state.closed++ }
      },
    },
  }
}

describe('the demo provider', () => {
  it('is on while there is no provider key, and goes and comes with the last one', async () => {
    const { state, set, options } = given(0)
    const demo = await createDemoSwitch(options)
    expect(demo.url()).toBe(URL)
    set(1)
    await demo.refresh()
    expect(demo.url()).toBeNull()
    set(0)
    await demo.refresh()
    expect(demo.url()).toBe(URL)
    await demo.close()
    expect([state.started, state.closed]).toEqual([1, 1])
  })

  it('is not even started where there is a key', async () => {
    const stored = given(2)
    expect((await createDemoSwitch(stored.options)).url()).toBeNull()
    const configured = given(0)
    expect((await createDemoSwitch({ ...configured.options, hasConfiguredKey: true })).url()).toBeNull()
    expect([stored.state.started, configured.state.started]).toEqual([0, 0])
  })

  it('does as DEMO says where it says something', async () => {
    const { options } = given(5)
    expect((await createDemoSwitch({ ...options, mode: true })).url()).toBe(URL)
    expect((await createDemoSwitch({ ...given(0).options, mode: false })).url()).toBeNull()
  })

  it('finds out by itself what another process did', async () => {
    const { set, options } = given(0)
    const demo = await createDemoSwitch(options)
    set(1)
    demo.url()
    await demo.refresh()
    expect(demo.url()).toBeNull()
  })

  it('stays as it was while the database cannot be read, and looks again', async () => {
    const { state, set, options } = given(0)
    const demo = await createDemoSwitch(options)
    state.broken = true
    set(1)
    await demo.refresh()
    expect(demo.url()).toBe(URL)
    state.broken = false
    await demo.refresh()
    expect(demo.url()).toBeNull()
  })
})
