/*
 * The bare relay, as one would naturally write it: node:http in front, undici's `request` behind, streams between them. It
 * does nothing else, so it is the floor for what a gateway in Node can cost.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { forwardable, serve } from './serve.ts'

const pool = new Pool(process.argv[2]!)

serve(async (req: IncomingMessage, res: ServerResponse) => {
  try {
    const { statusCode, headers, body } = await pool.request({
      path: req.url!,
      method: req.method!,
      headers: forwardable(req.headers),
      body: req,
    })
    res.writeHead(statusCode, forwardable(headers))
    res.once('close', () => body.destroy())
    body.on('error', () => res.destroy())
    body.pipe(res)
  } catch {
    res.writeHead(502).end()
  }
})
