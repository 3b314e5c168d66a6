import type { HttpExchange } from './exchange.ts'

/** A stream whose client may be waiting. */
export type Pulse = {
  /** Something has been sent since the last look. */
  moved: boolean
  quietSince: number
  everyMs: number
  /** Sends a sign of life, if this is a place for one. */
  beat(): void
}

export type Keepalive = {
  add(pulse: Pulse): void
  remove(pulse: Pulse): void
}

/** `everyMs`: of silence; 0: never. */
export type KeepaliveEvery = { keepalive: Keepalive; everyMs: number }

/** A comment, which clients pass over. */
const COMMENT = Buffer.from(': keepalive\n\n')
/** Google's SDK for Python takes every line with something on it for JSON. */
const BLANK = Buffer.from('\r\n\r\n')

/** What keeps a stream alive for this client; null: it wants none, or this is nothing to be kept alive. */
export function signOfLife({ endpoint, req }: HttpExchange): Buffer | null {
  if (req.headers['x-llm-proxy-keepalive'] === 'false') return null
  return endpoint?.dialect === 'gemini' ? BLANK : COMMENT
}

const LF = 0x0a
const CR = 0x0d

/**
 * The pulse of one stream: `sent` for every piece that goes out, `stop` when nothing more will. Signs of life stand only between two
 * events. Null where the client wants none.
 */
export function createPulse(
  { keepalive, everyMs }: KeepaliveEvery,
  exchange: HttpExchange,
  mayBeat: () => boolean,
): { sent(piece: Buffer): void; stop(): void } | null {
  const sign = signOfLife(exchange)
  if (sign === null || everyMs === 0) return null
  const { res } = exchange
  /** The last bytes that went out. */
  let [third, second, last] = [0, 0, 0]
  let isWatched = false
  const isBetween = () =>
    (last === LF && (second === LF || (second === CR && third === LF))) || (last === CR && second === CR)
  const pulse: Pulse = {
    moved: true,
    quietSince: 0,
    everyMs,
    beat() {
      if (!isBetween() || !mayBeat()) return
      exchange.responseBytes += sign.length
      res.write(sign)
    },
  }
  return {
    sent(piece) {
      pulse.moved = true
      const { length } = piece
      if (length >= 3) {
        third = piece[length - 3]!
        second = piece[length - 2]!
        last = piece[length - 1]!
      } else for (const byte of piece) [third, second, last] = [second, last, byte]
      // Before the first byte another provider may still answer.
      if (isWatched) return
      isWatched = true
      keepalive.add(pulse)
    },
    stop: () => keepalive.remove(pulse),
  }
}

const LEAST_MS = 10
const MOST_MS = 1_000

/**
 * Gives streams a sign of life when so long nothing has been sent to their clients, so that nothing on the way takes them for dead. One
 * sweep looks after all of them; while there are none it stands still.
 */
export function createKeepalive(): Keepalive {
  const pulses = new Set<Pulse>()
  let timer: NodeJS.Timeout | null = null
  let sweepMs = MOST_MS

  const sweep = () => {
    timer = null
    const now = performance.now()
    for (const pulse of pulses) {
      if (pulse.moved) {
        pulse.moved = false
        pulse.quietSince = now
      } else if (now - pulse.quietSince >= pulse.everyMs) {
        pulse.quietSince = now
        pulse.beat()
      }
    }
    schedule()
  }

  const schedule = () => {
    if (timer === null && pulses.size > 0) timer = setTimeout(sweep, sweepMs).unref()
  }

  return {
    add(pulse) {
      pulses.add(pulse)
      sweepMs = Math.min(sweepMs, Math.max(LEAST_MS, pulse.everyMs / 4))
      schedule()
    },
    remove: (pulse) => void pulses.delete(pulse),
  }
}
