import type { Request, Response } from 'express'
import { GatewayError } from '../../errors.ts'
import type { Live } from './page.ts'
import { render } from './render.ts'
import type { Visit } from './visit.ts'

const MAX_STREAMS = 100
/** Of one user, who has so many pages open at the most. */
const MAX_OF_USER = 20
/** Half a minute without a word, and some proxies on the way hang up. */
const SILENCE_MS = 20_000
let open = 0
const openOf = new Map<string, number>()

/**
 * Sends the part of the page again and again as an event stream, until the visitor leaves, the session ends, or the gateway drains. A
 * part that has not changed is not sent. One load at a time: a slow one puts off the next. Throws `overloaded`.
 */
export function streamLive(
  req: Request,
  res: Response,
  { view, everyMs, load }: Live,
  { visit, isStillIn }: { visit: Visit; isStillIn(): Promise<boolean> },
): void {
  if (open >= MAX_STREAMS)
    throw new GatewayError('overloaded', { message: 'Too many people watch live. Reload later.' })
  const { id } = visit.user
  const own = openOf.get(id) ?? 0
  if (own >= MAX_OF_USER)
    throw new GatewayError('overloaded', { message: 'You watch too many pages live: close some of them.' })
  open++
  openOf.set(id, own + 1)
  res.set({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  res.flushHeaders()
  let timer: NodeJS.Timeout | undefined
  let sent = ''
  let sentAt = 0

  const tick = async () => {
    if (visit.ctx.life.draining || !(await isStillIn())) return res.end('event: end\ndata: \n\n')
    const now = visit.ctx.now()
    const html = render(view, { visit: { ...visit, now }, data: await load({ ...visit, now }) })
    if (html !== sent && !res.writableNeedDrain) {
      sent = html
      sentAt = now
      res.write(
        `${html
          .trim()
          // To an event stream each of these ends a line, and clients choose what models are called.
          .split(/\r\n?|\n/)
          .map((line) => `data: ${line}\n`)
          .join('')}\n`,
      )
    } else if (Math.abs(now - sentAt) > SILENCE_MS) {
      sentAt = now
      res.write(': still here\n\n')
    }
    if (!res.closed) timer = setTimeout(run, everyMs)
  }
  const run = () =>
    void tick().catch((cause) => {
      visit.ctx.log.error('a live part of the console could not be made', { path: req.path, cause })
      res.end('event: end\ndata: \n\n')
    })
  res.on('close', () => {
    open--
    const left = openOf.get(id)! - 1
    if (left === 0) openOf.delete(id)
    else openOf.set(id, left)
    clearTimeout(timer)
  })
  run()
}
