import { z } from 'zod'

/* What the requests of several providers are made of. Objects are strict: an unknown field is refused, as these providers do. */

export const base64 = z.base64().min(1)
export const address = z.url({ protocol: /^https$/ })
export const dataAddress = z.string().regex(/^data:[\w.+-]+\/[\w.+-]+;base64,[A-Za-z0-9+/]+=*$/)
export const anything = z.record(z.string(), z.unknown())
/** JSON Schema of an object. */
export const objectSchema = z.looseObject({ type: z.literal('object'), properties: anything.optional() })

/** The first thing that is wrong, as `messages.0.content: …`; null: nothing. */
export function firstProblem(schema: z.ZodType, body: unknown): string | null {
  const { error } = schema.safeParse(body)
  if (!error) return null
  const [issue] = error.issues
  return `${issue!.path.join('.')}: ${describe(issue!)}`
}

/** Of the shapes that something may have, the one that it comes nearest to has most to say. */
function describe(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union') return issue.message
  const nearest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0]
  return nearest ? `${nearest.path.join('.')} ${describe(nearest)}` : issue.message
}

type Schema = { type?: unknown; properties?: unknown; additionalProperties?: unknown; required?: unknown }

/** All objects in it, at any depth. */
export function objectsIn(schema: unknown): Schema[] {
  if (Array.isArray(schema)) return schema.flatMap(objectsIn)
  if (typeof schema !== 'object' || schema === null) return []
  const own = (schema as Schema).type === 'object' ? [schema as Schema] : []
  return [...own, ...Object.values(schema).flatMap(objectsIn)]
}

export const propertiesOf = (schema: unknown): string[] =>
  Object.keys(((schema as Schema | undefined)?.properties as object | undefined) ?? {})

/** Closed, with all of its properties required, as strict modes want it. */
export const isStrict = (schema: unknown): boolean =>
  objectsIn(schema).every(
    (one) =>
      one.additionalProperties === false &&
      propertiesOf(one).every((name) => Array.isArray(one.required) && one.required.includes(name)),
  )
