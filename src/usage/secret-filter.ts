import { type Observer, passThrough } from './observer.ts'

/**
 * For errors of a provider, which pass through as they are but for one thing: a provider that quotes the key it was sent must not
 * hand it to the caller. The key is overwritten in place, so that length and framing stay true.
 */
export function createSecretFilter(secret: string): Observer {
  const wanted = Buffer.from(secret)
  /** The end of the last piece, as long as it could be the beginning of the secret. */
  let held = Buffer.alloc(0)

  return {
    ...passThrough,
    push(piece) {
      const bytes = held.length === 0 ? piece : Buffer.concat([held, piece])
      maskSecret(bytes, wanted)
      const keep = beginningAtEnd(bytes, wanted)
      held = Buffer.from(bytes.subarray(bytes.length - keep))
      return keep === bytes.length ? null : bytes.subarray(0, bytes.length - keep)
    },
    end() {
      return held.length === 0 ? null : held
    },
  }
}

/** Overwrites every occurrence with stars, in place. */
export function maskSecret(bytes: Buffer, secret: Buffer): void {
  for (let at = bytes.indexOf(secret); at !== -1; at = bytes.indexOf(secret, at + secret.length)) {
    bytes.fill('*', at, at + secret.length)
  }
}

/** How many bytes at the end of `bytes` are the beginning of `wanted`. */
function beginningAtEnd(bytes: Buffer, wanted: Buffer): number {
  for (let length = Math.min(bytes.length, wanted.length - 1); length > 0; length--) {
    if (bytes.compare(wanted, 0, length, bytes.length - length) === 0) return length
  }
  return 0
}
