import { createCipheriv, createDecipheriv, createHash, hash, randomBytes, timingSafeEqual } from 'node:crypto'

const TOKEN_SHAPE = /^sk-[A-Za-z0-9_-]{43}$/

/** A new proxy token: `sk-` and 256 random bits in 43 url-safe characters. */
export const generateToken = () => `sk-${randomBytes(32).toString('base64url')}`

export const looksLikeToken = (text: string) => TOKEN_SHAPE.test(text)

/** SHA-256, hex: enough for 256 random bits, and fast enough for every request (a password would need argon2). */
export const hashToken = (token: string) => hash('sha256', token, 'hex')

/** The last four characters: what people see of a secret after its creation. */
export const last4 = (secret: string) => secret.slice(-4)

/** Compares without telling by its time how much was right, whatever the lengths. */
export function equalSecrets(given: string, expected: string): boolean {
  return timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(expected).digest())
}

export type Sealer = { seal(plain: string): string; open(sealed: string): string; keyId: string }

/**
 * Seals provider keys with AES-256-GCM. The envelope is `v1.<key id>.<iv>.<ciphertext>.<tag>`, base64url; the key id (first 8 hex
 * digits of the key's SHA-256) says which encryption key opens it, so that a re-seal can tell old from new.
 * `open` throws when the envelope was made with another key or was altered.
 */
export function createSealer(key: Buffer): Sealer {
  const keyId = createHash('sha256').update(key).digest('hex').slice(0, 8)
  return {
    keyId,
    seal(plain) {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return ['v1', keyId, ...[iv, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.')
    },
    open(envelope) {
      const [version, madeWith, iv, sealed, tag] = envelope.split('.')
      if (version !== 'v1' || !iv || sealed === undefined || !tag)
        throw new Error('The envelope of a provider key is malformed.')
      if (madeWith !== keyId) {
        throw new Error(`A provider key was sealed with encryption key ${madeWith}, but the current one is ${keyId}.`)
      }
      // A shorter tag would be quicker to guess: with this length any other is refused.
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'), { authTagLength: 16 })
      decipher.setAuthTag(Buffer.from(tag, 'base64url'))
      return Buffer.concat([decipher.update(Buffer.from(sealed, 'base64url')), decipher.final()]).toString('utf8')
    },
  }
}
