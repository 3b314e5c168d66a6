import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  chatAnswer,
  chatEvents,
  sendJson,
  sseHead,
  startUpstream,
  streamChat,
  type Upstream,
} from '../helpers/upstream.ts'
import { CLOSED_PORT, givenGateway } from './given.ts'

let upstream: Upstream
beforeAll(async () => {
  upstream = await startUpstream()
})
afterAll(() => upstream.close())

/** A gateway before the scripted upstream, and a command line with a token for it. */
async function given() {
  const made = await givenGateway({ upstream: upstream.url })
  Object.assign(made.env, { LLM_PROXY_TOKEN: await made.print('token generate --quiet') })
  return made
}

const lastMessages = () => (JSON.parse(upstream.seen.at(-1)!.body.toString()) as { messages: object[] }).messages

/** Begins an answer and goes on when told to. */
function begin(res: ServerResponse): { goOn(): void } {
  const [head, first, ...rest] = chatEvents(['One ', 'two'])
  res.writeHead(200, sseHead)
  res.write(head! + first!)
  return { goOn: () => void res.end(rest.join('')) }
}

describe('chat, asked once', () => {
  it('answers a message through the gateway of this folder', async () => {
    const { cli } = await given()
    upstream.script(streamChat(['Hello ', 'there.']))
    expect(await cli(['chat', 'Hi', '--model', 'gpt-4o', '--system', 'Be brief.'])).toEqual({
      code: 0,
      out: 'Hello there.\n',
      err: '',
    })
    expect(lastMessages()).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ])
  })

  it('answers what is on stdin, by the demo model when none is named', async () => {
    const { cli, print } = await givenGateway()
    const token = await print('token generate --quiet')
    expect(await cli(`chat --token ${token}`, { stdin: 'Say this\nback.\n' })).toEqual({
      code: 0,
      out: 'Say this\nback.\n',
      err: '',
    })
  })

  it('takes an answer of a provider that does not stream', async () => {
    const { cli } = await given()
    upstream.script((_req, res) => sendJson(res, 200, chatAnswer('At once.')))
    expect((await cli('chat Hi --model gpt-4o')).out).toBe('At once.\n')
  })

  it('fails, with what there is of it, when the answer is cut', async () => {
    const { cli } = await given()
    upstream.script((_req, res) => {
      begin(res)
      setImmediate(() => res.destroy())
    })
    const { code, out, err } = await cli('chat Hi --model gpt-4o')
    expect({ code, out }).toEqual({ code: 1, out: 'One \n' })
    expect(err).toMatch(/^error: The answer (was cut short|broke off)/)
  })

  it('says what to do without a token, with a wrong one, and without a gateway', async () => {
    const { cli } = await given()
    const none = { env: { LLM_PROXY_TOKEN: '' } }
    expect(await cli('chat Hi', none)).toMatchObject({ code: 2, err: expect.stringContaining('--token') })
    expect(await cli('chat Hi --token sk-wrong')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: Incorrect API key provided.*llm-proxy token generate/),
    })
    expect(await cli(`chat Hi --url http://127.0.0.1:${CLOSED_PORT}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('No gateway answers at'),
    })
    expect((await cli('chat', { stdin: ' \n' })).code).toBe(2)
  })
})

describe('chat, at a terminal', () => {
  it('streams: a piece of the answer is there before the next has come', async () => {
    const { terminal } = await given()
    const begun = Promise.withResolvers<{ goOn(): void }>()
    upstream.script((_req, res) => begun.resolve(begin(res)))
    const { types, sees, ended, screen } = terminal('chat --model gpt-4o')
    types('Hi\r')
    await sees('One ')
    expect(screen()).not.toContain('two')
    const { goOn } = await begun.promise
    goOn()
    await sees('two')
    types('/exit\r')
    expect(await ended).toBe(0)
  })

  it('remembers what was said, forgets it with /reset, and changes the model', async () => {
    const { terminal } = await given()
    upstream.script(streamChat(['First.']))
    const { types, sees, ended, errors } = terminal(['chat', '--model', 'gpt-4o', '--system', 'Be brief.'])
    types('One\r')
    await sees('First.')
    upstream.script(streamChat(['Second.']))
    types('Two\r')
    await sees('Second.')
    expect(lastMessages()).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'First.' },
      { role: 'user', content: 'Two' },
    ])
    upstream.script(streamChat(['Third.']))
    types('/reset\r/model gpt-4.1\rThree\r')
    await sees('Third.')
    expect(lastMessages()).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Three' },
    ])
    expect(JSON.parse(upstream.seen.at(-1)!.body.toString())).toMatchObject({ model: 'gpt-4.1' })
    types('/exit\r')
    expect(await ended).toBe(0)
    expect(errors()).toBe('')
  })

  it('stops the answer, and the provider, with Ctrl-C; a second one leaves', async () => {
    const { terminal } = await given()
    upstream.script((_req, res) => void begin(res))
    const { types, sees, ended } = terminal('chat --model gpt-4o')
    types('Hi\r')
    await sees('One ')
    types('\x03')
    await upstream.seen.at(-1)!.aborted
    await sees('(stopped)')
    types('\x03')
    expect(await ended).toBe(0)
  })

  it('goes on after an error, without what was not answered', async () => {
    const { terminal } = await given()
    upstream.script((_req, res) => sendJson(res, 400, { error: { message: 'Not like that.\u001b[2J' } }))
    const { types, sees, ended, errors } = terminal('chat --model gpt-4o')
    types('Wrong\r')
    await sees('error: Not like that.')
    expect(errors()).not.toContain('\u001b')
    upstream.script(streamChat(['Right.']))
    types('Again\r')
    await sees('Right.')
    expect(lastMessages()).toEqual([{ role: 'user', content: 'Again' }])
    types('/exit\r')
    expect(await ended).toBe(0)
  })

  it('shows nothing of an answer that would steer the terminal', async () => {
    const { terminal } = await given()
    upstream.script(streamChat(['before\u001b]52;c;ZXZpbA==\u0007after']))
    const { types, sees, ended } = terminal('chat --model gpt-4o')
    types('Hi\r')
    await sees('before]52;c;ZXZpbA==after')
    types('\x04')
    expect(await ended).toBe(0)
  })
})
