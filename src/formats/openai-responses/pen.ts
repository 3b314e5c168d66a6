import type { Json } from '../dialect.ts'

/** Writes the events of one stream, numbered. */
export type Pen = {
  event(type: string, fields: Json): string
  /** For events that come by the hundred and differ in their `delta`: all before it is made once. `more`: members behind it, as JSON text. */
  pieces(type: string, fields: Json, more?: string): (piece: string) => string
}

export function createPen(): Pen {
  let number = 0
  return {
    event: (type, fields) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, ...fields, sequence_number: number++ })}\n\n`,
    pieces(type, fields, more = '') {
      const head = `event: ${type}\ndata: ${JSON.stringify({ type, ...fields }).slice(0, -1)},"delta":`
      return (piece) => `${head}${JSON.stringify(piece)}${more},"sequence_number":${number++}}\n\n`
    },
  }
}
