import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import type { Logger } from '../../logger.ts'
import type { Download } from './page.ts'

/** Who takes nothing for so long, although there is something, has gone; a connection alone would be held for ever. */
const STALL_MS = 5 * 60_000

/** What breaks off half-way ends the connection: nobody takes a part for the whole. */
export async function sendFile(
  log: Pick<Logger, 'warn'>,
  res: Response,
  { name, type, stream }: Download,
  stallMs = STALL_MS,
): Promise<void> {
  res.set('content-disposition', `attachment; filename="${name}"`).type(type)
  const timer = setInterval(endWhenStalled(res), stallMs)
  await pipeline(stream, res).catch((cause) => {
    log.warn('a download was broken off', { name, cause })
    res.destroy()
  })
  clearInterval(timer)
}

/** To be called now and then. While a part is still being made, nobody waits for the visitor. */
function endWhenStalled(res: Response): () => void {
  let before = -1
  return () => {
    const written = res.socket?.bytesWritten ?? 0
    if (res.writableNeedDrain && written === before) res.destroy()
    before = written
  }
}
