import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Listens on a free port, tells the parent process where, and ends with it. */
export function serve(listener: RequestListener): void {
  const server = createServer(listener)
  server.keepAliveTimeout = 65_000
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  })
  // A clean end, so that Node writes the profile when it was asked for one.
  process.on('disconnect', () => process.exit()).on('SIGTERM', () => process.exit())
}

/** All headers but those that belong to one connection. */
export function forwardable(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection, host, 'keep-alive': keepAlive, 'transfer-encoding': encoding, ...rest } = headers
  return rest
}
