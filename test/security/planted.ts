import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Letters alone: nothing in their shape says that they are a secret. */
export const letters = (count: number) =>
  Array.from(randomBytes(count), (byte) => String.fromCharCode(97 + (byte % 26))).join('')

/** Secrets by what they are. Whatever is written anywhere is searched for them at the end. */
export class Planted {
  readonly #secrets = new Map<string, string>()

  plant(what: string, secret: string): string {
    this.#secrets.set(what, secret)
    return secret
  }

  /** Which secrets are in `bytes`: whole, half of them, or as base64, percent escapes or JSON would spell them. */
  foundIn(bytes: string | Buffer): string[] {
    const text = typeof bytes === 'string' ? bytes : bytes.toString('latin1')
    return [...this.#secrets].flatMap(([what, secret]) => {
      const spelling = spellings(secret).find(([, spelled]) => text.includes(spelled))
      return spelling ? [`${what} (${spelling[0]})`] : []
    })
  }
}

function spellings(secret: string): [string, string][] {
  const half = Math.floor(secret.length / 2)
  const all: [string, string][] = [
    ['whole', secret],
    ['as JSON', JSON.stringify(secret).slice(1, -1)],
    ['as JSON in JSON', JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
    ['escaped', encodeURIComponent(secret)],
    ['base64', Buffer.from(secret).toString('base64').replace(/=+$/, '')],
    ['hex', Buffer.from(secret).toString('hex')],
  ]
  // What is left of a secret that was cut off somewhere.
  if (secret.length >= 24) all.push(['its first half', secret.slice(0, half)], ['its second half', secret.slice(half)])
  return all
}

/** Every file below a folder, with its bytes. */
export function filesBelow(folder: string): [string, Buffer][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => [name, readFileSync(join(folder, name))])
}
