import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../helpers/gateway.ts'
import { chat, type RawAnswer } from '../helpers/http.ts'
import { rowsOf } from './on-the-wire.ts'
import { ANSWER, ok, type RawProvider, startRawProvider } from './raw-provider.ts'

let provider: RawProvider
let gateway: TestGateway

beforeAll(async () => {
  provider = await startRawProvider()
  gateway = await startTestGateway({
    upstream: provider.url,
    config: { timeouts: { connectMs: 400, headersMs: 400, firstTokenMs: 400, idleMs: 400, totalMs: 3000 } },
  })
})
afterAll(async () => {
  await gateway.stop()
  await provider.close()
})

const LENGTH = `content-length: ${ANSWER.length}\r\n`

/** One chat with a token of its own, and the one row that there must be of it. Fails when there is no answer in two seconds. */
async function ask(body: object = {}): Promise<{ answer: RawAnswer; row: Awaited<ReturnType<typeof rowsOf>>[number] }> {
  const { secret, token } = await gateway.token()
  const late = new Promise<never>((_resolve, reject) =>
    setTimeout(() => reject(new Error('No answer within two seconds.')), 2_000).unref(),
  )
  const answer = await Promise.race([chat(gateway.baseUrl, secret, body), late])
  return { answer, row: (await rowsOf(gateway, token.id, 1))[0]! }
}

const errorOf = (answer: RawAnswer) => (JSON.parse(answer.body.toString()) as { error: { code: string } }).error.code

describe('a provider that does not speak HTTP', () => {
  it.each<[string, string | Buffer, 'wait' | 'end' | 'reset']>([
    ['another version', 'HTTP/9.9 200 OK\r\n\r\n', 'wait'],
    ['a status that is no number', 'HTTP/1.1 abc OK\r\n\r\n', 'wait'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'wait'],
    ['a status below 100', 'HTTP/1.1 042 OK\r\ncontent-length: 0\r\n\r\n', 'wait'],
    ['no status line', 'hello\r\n\r\n', 'wait'],
    ['nothing but the end', '', 'end'],
    ['nothing but a reset', 'H', 'reset'],
    ['a control character in a header', ok(`x-a: b\x01c\r\n${LENGTH}`), 'wait'],
    ['a NUL in a header', ok(`x-a: b\0c\r\n${LENGTH}`), 'wait'],
    ['a bare CR in a header', ok(`x-a: b\rset-cookie: c\r\n${LENGTH}`), 'wait'],
    ['a folded header', ok(`x-a: b\r\n c\r\n${LENGTH}`), 'wait'],
    ['a header name with a space', ok(`x a: b\r\n${LENGTH}`), 'wait'],
    ['a header without a name', ok(`: b\r\n${LENGTH}`), 'wait'],
    ['content-length twice', ok(LENGTH + LENGTH), 'wait'],
    ['content-length and chunks', ok(`${LENGTH}transfer-encoding: chunked\r\n`), 'wait'],
    ['a content-length below zero', ok('content-length: -5\r\n'), 'wait'],
    ['chunks of no size', ok('transfer-encoding: chunked\r\n', `zz\r\n${ANSWER}`), 'wait'],
    ['headers and then the end', ok(LENGTH, ''), 'end'],
    ['headers and then a reset', ok(LENGTH, ''), 'reset'],
    [
      'a switch of protocols that nobody asked for',
      'HTTP/1.1 101 Hi\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'wait',
    ],
  ])('is told as 502 in one row: %s', async (_what, bytes, then) => {
    provider.says(bytes === '' ? [Buffer.alloc(0)] : bytes, then)
    const { answer, row } = await ask()
    expect([answer.status, errorOf(answer)]).toEqual([502, 'upstream_unreachable'])
    expect(row).toMatchObject({ status: 502, error: 'upstream_unreachable', attempts: [{ outcome: 'failed' }] })
    await provider.closed()
  })

  it('is cut off when its headers never end, within 64 KB or the time for headers', async () => {
    provider.does((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const flood = () => {
        if (socket.destroyed) return
        socket.write(`x-more: ${'a'.repeat(8_000)}\r\n`)
        setImmediate(flood)
      }
      flood()
    })
    expect((await ask()).answer.status).toBe(502)
    await provider.closed()
    provider.does((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write('a: b\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    expect((await ask()).answer.status).toBe(504)
    await provider.closed()
  })

  it('is cut off when it sends nothing but informational answers', async () => {
    provider.does((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 10)
      socket.on('close', () => clearInterval(timer))
    })
    const { answer, row } = await ask()
    expect([answer.status, errorOf(answer), row.error]).toEqual([504, 'upstream_timeout', 'upstream_timeout'])
    await provider.closed()
  })
})

describe('a reason phrase', () => {
  it.each([
    ['none', ''],
    ['an unusual one', 'Made It Anyway'],
  ])('passes on: %s', async (_what, reason) => {
    provider.says(Buffer.from(`HTTP/1.1 200 ${reason}\r\n${LENGTH}\r\n${ANSWER}`))
    const { answer } = await ask()
    expect([answer.status, answer.statusText, answer.body.toString()]).toEqual([200, reason, ANSWER])
  })

  it.each([
    ['in UTF-8', Buffer.from('Gelöscht ✓')],
    ['in Latin-1', Buffer.from('Gel\xf6scht', 'latin1')],
    ['with a control character', Buffer.from('O\x01K')],
  ])('that cannot be passed on never leaves the client without an answer: %s', async (_what, reason) => {
    const head = `\r\ncontent-type: application/json\r\n${LENGTH}\r\n${ANSWER}`
    provider.says(Buffer.concat([Buffer.from('HTTP/1.1 200 '), reason, Buffer.from(head)]))
    const { answer } = await ask()
    expect([200, 502]).toContain(answer.status)
  })
})

describe('a body', () => {
  it.each([299, 429, 451, 599, 600, 999])('with the status %i passes on', async (status) => {
    provider.says(`HTTP/1.1 ${status} X\r\n${LENGTH}\r\n${ANSWER}`)
    const { answer, row } = await ask()
    expect([answer.status, answer.body.toString(), row.status]).toEqual([status, ANSWER, status])
  })

  it('longer than its content-length ends where that says', async () => {
    provider.says(ok(LENGTH, `${ANSWER}and more`))
    const { answer, row } = await ask()
    expect([answer.body.toString(), answer.ended, row.usage.source]).toEqual([ANSWER, 'clean', 'reported'])
  })

  it.each<[string, Buffer, 'wait' | 'end' | 'reset', string]>([
    ['by an early end', ok(`content-length: ${ANSWER.length + 9}\r\n`), 'end', 'upstream_cut'],
    ['by a reset', ok(`content-length: ${ANSWER.length + 9}\r\n`), 'reset', 'upstream_cut'],
    ['by silence', ok(`content-length: ${ANSWER.length + 9}\r\n`), 'wait', 'upstream_timeout'],
    ['of chunks by an early end', ok('transfer-encoding: chunked\r\n', `55\r\n${ANSWER}`), 'end', 'upstream_cut'],
  ])('that is cut short %s never looks whole', async (_what, bytes, then, error) => {
    provider.says(bytes, then)
    const { answer, row } = await ask()
    expect(answer.ended).toBe('broken')
    expect(row).toMatchObject({ status: 200, error, attempts: [{ outcome: 'failed' }] })
  })

  it('without any length ends with its connection', async () => {
    provider.says(ok(''), 'end')
    const { answer } = await ask()
    expect([answer.body.toString(), answer.ended]).toEqual([ANSWER, 'clean'])
  })

  it('in chunks with trailers is whole, and the trailers stay behind', async () => {
    provider.says(
      ok(
        'transfer-encoding: chunked\r\ntrailer: x-t\r\n',
        `${ANSWER.length.toString(16)};a=b\r\n${ANSWER}\r\n0\r\nx-t: 1\r\n\r\n`,
      ),
    )
    const { answer, row } = await ask()
    expect([answer.body.toString(), answer.ended, row.usage.source]).toEqual([ANSWER, 'clean', 'reported'])
    expect(answer.headers.join('\n')).not.toMatch(/trailer|x-t/i)
  })

  it('behind informational answers is the one that counts', async () => {
    provider.says(Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'), ok(LENGTH)]))
    const { answer } = await ask()
    expect([answer.status, answer.body.toString(), answer.header('link')]).toEqual([200, ANSWER, undefined])
  })

  it.each([204, 304])(
    'where there may be none (%i) is left out, and the next answer is not disturbed',
    async (status) => {
      for (const head of ['content-length: 5', 'transfer-encoding: chunked']) {
        provider.says(`HTTP/1.1 ${status} X\r\n${head}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`)
        const { answer, row } = await ask()
        expect([answer.status, answer.body.length, row.status]).toEqual([status, 0, status])
        provider.says(ok(LENGTH))
        expect((await ask()).answer.body.toString()).toBe(ANSWER)
      }
    },
  )

  it('of a redirect is not followed', async () => {
    provider.says('HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n')
    const { answer } = await ask()
    expect([answer.status, answer.header('location')]).toEqual([302, 'http://127.0.0.1:1/'])
  })
})

it('header values in any bytes that HTTP allows pass on as they are', async () => {
  provider.says(ok(`x-a: \xc3\xbc ✓\r\nx-empty:\r\n${LENGTH}`))
  const { answer } = await ask()
  expect(answer.header('x-empty')).toBe('')
  expect(Buffer.from(answer.header('x-a')!, 'latin1').toString()).toBe(Buffer.from('\xc3\xbc ✓').toString())
})
