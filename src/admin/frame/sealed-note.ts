import type { Sealer } from '../../domain/secrets.ts'

/**
 * Texts that go through a visitor's browser and come back, sealed: nobody else reads or alters them. One of another `kind` is no answer to
 * this one, and neither is one that is older than `patienceMs`.
 */
export function createSealedNotes<Name extends string>(kind: string, names: readonly Name[], patienceMs: number) {
  type Texts = Record<Name, string>
  return {
    patienceMs,
    seal: (sealer: Sealer, texts: Texts, now: number): string =>
      sealer.seal(JSON.stringify({ kind, ...texts, at: now })),
    /** Null: too old, or not ours. */
    open(sealer: Sealer, sealed: string, now: number): Texts | null {
      const { kind: found, at, ...texts } = read(sealer, sealed)
      const isOurs = found === kind && typeof at === 'number' && names.every((name) => typeof texts[name] === 'string')
      const age = isOurs ? now - at : -1
      return age >= 0 && age <= patienceMs ? (texts as Texts) : null
    },
  }
}

function read(sealer: Sealer, sealed: string): Record<string, unknown> {
  try {
    // Whatever else was sealed by this key, and be it `null`.
    return Object(JSON.parse(sealer.open(sealed))) as Record<string, unknown>
  } catch {
    // Altered, or sealed by another key: the same as none.
    return {}
  }
}
