import { describe, expect, it } from '@jest/globals'
import { given } from './given.ts'

describe('a person at a terminal', () => {
  it('is asked for a key, which does not show', async () => {
    const { terminal, print, json } = given()
    await print('project create a')
    const { types, sees, ended, screen, errors } = terminal('provider-key add openai=- --project a')
    await sees('Key of openai: ')
    types('sk-typed-0123456789-wxyz\r')
    expect(await ended).toBe(0)
    expect(screen() + errors()).not.toContain('0123456789')
    expect((await json('provider-key list')).data).toMatchObject([{ last4: 'wxyz' }])
  })

  it('is asked before a project is deleted, and may think better of it', async () => {
    const { terminal, print, json } = given()
    await print('project create a')
    const answer = async (text: string) => {
      const { types, sees, ended } = terminal('project delete a')
      await sees('Delete the project "a" with its tokens and provider keys? [y/N]')
      types(text)
      return ended
    }
    for (const text of ['\r', 'n\r', '\x03']) expect(await answer(text)).toBe(130)
    expect((await json('project list')).data).toHaveLength(1)
    expect(await answer('y\r')).toBe(0)
    expect((await json('project list')).data).toHaveLength(0)
  })
})
