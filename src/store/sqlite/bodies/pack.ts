import type { RawBodies, RawBody } from '../../bodies.ts'

/** A batch on its way to the thread: all bytes in one block, which changes hands without a copy, and the rest as JSON. */
export type Packed = { heads: string; bytes: ArrayBuffer }

export function pack(batch: readonly RawBodies[]): Packed {
  const bodies = batch.flatMap(bodiesOf)
  const bytes = new Uint8Array(bodies.reduce((sum, { bytes }) => sum + bytes.length, 0))
  let at = 0
  for (const body of bodies) {
    bytes.set(body.bytes, at)
    at += body.bytes.length
  }
  const heads = batch.map((raw) => ({ ...raw, request: headOf(raw.request), response: headOf(raw.response) }))
  return { heads: JSON.stringify(heads), bytes: bytes.buffer }
}

/** With the number of its bytes in place of them. */
const headOf = <Part extends { body: RawBody }>(part: Part | null) =>
  part && { ...part, body: { ...part.body, bytes: part.body.bytes.length } }

export function unpack({ heads, bytes }: Packed): RawBodies[] {
  const batch = JSON.parse(heads) as RawBodies[]
  let at = 0
  for (const body of batch.flatMap(bodiesOf)) {
    const length = body.bytes as unknown as number
    body.bytes = new Uint8Array(bytes, at, length)
    at += length
  }
  return batch
}

const bodiesOf = ({ request, response }: RawBodies): RawBody[] =>
  [request, response].flatMap((part) => part?.body ?? [])
