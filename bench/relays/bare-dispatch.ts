/*
 * The bare relay with the least that undici offers: a dispatch handler instead of a stream for the answer. Less comfortable,
 * and what a relay that counts its microseconds would do.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import { forwardable, serve } from './serve.ts'

const pool = new Pool(process.argv[2]!)

serve((req: IncomingMessage, res: ServerResponse) => {
  let upstream: Dispatcher.DispatchController | null = null
  let over = false
  res.once('close', () => {
    if (!over) upstream?.abort(new Error('The client has gone.'))
  })
  pool.dispatch(
    { path: req.url!, method: req.method as Dispatcher.HttpMethod, headers: forwardable(req.headers), body: req },
    {
      onRequestStart(controller) {
        upstream = controller
      },
      onResponseStart(_controller, status, headers) {
        if (status >= 200) res.writeHead(status, forwardable(headers))
      },
      onResponseData(controller, piece) {
        if (res.write(piece)) return
        controller.pause()
        res.once('drain', () => controller.resume())
      },
      onResponseEnd() {
        over = true
        res.end()
      },
      onResponseError() {
        over = true
        if (res.headersSent) res.destroy()
        else res.writeHead(502).end()
      },
    },
  )
})
