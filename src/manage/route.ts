import type { z } from 'zod'
import type { Actor } from '../domain/audit.ts'
import type { ErrorCode } from '../errors.ts'

/** What a handler is given: the path's parameters, the query as its schema read it, the body as it came, and who asks. */
export type Call<Params = Record<string, string>, Query = unknown> = {
  params: Params
  query: Query
  body: unknown
  actor: Actor
}

/** One row of the management API. The router and the OpenAPI document are both made of these. */
export type Route = {
  method: 'get' | 'post' | 'patch' | 'delete'
  /** Below `/manage`, as OpenAPI spells it: `/projects/{id}`. */
  path: string
  /** The operation's name, unique: `createProject`. */
  name: string
  tag: string
  summary: string
  description?: string
  /** How the audit log calls it; reads have none. */
  action?: string
  query?: z.ZodObject
  /** What the body should be; the domain function reads it. */
  body?: z.ZodType
  status: 200 | 201 | 204
  /** What is answered; none for 204. */
  answer?: z.ZodType
  /** What may go wrong besides `unauthorized` and `storage_unavailable`. */
  errors: ErrorCode[]
  /** There is the same answer as a table, for those who accept `text/csv`; by `render`. */
  hasCsv?: boolean
  handle?(call: Call): Promise<unknown>
  /** In place of `handle`: an answer that may be long, as its bytes, so that nobody else waits while it is written. */
  render?(call: Call, format: Format): Promise<Uint8Array>
}

export type Format = 'json' | 'csv'

type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [K in Name]: string } & ParamsOf<Rest>
  : unknown

type TypedRoute<Path extends string, Query extends z.ZodObject, Answer extends z.ZodType> = Omit<
  Route,
  'path' | 'query' | 'answer' | 'handle' | 'render'
> & {
  path: Path
  query?: Query
  answer?: Answer
} & (
    | { handle(call: Call<ParamsOf<Path>, z.output<Query>>): Promise<z.input<Answer>> }
    | { render(call: Call<ParamsOf<Path>, z.output<Query>>, format: Format): Promise<Uint8Array> }
  )

/** A route whose handler is held to its own path, query and answer. */
export function route<Path extends string, Query extends z.ZodObject, Answer extends z.ZodType = z.ZodVoid>(
  typed: TypedRoute<Path, Query, Answer>,
): Route {
  // The router gives each handler what its own row says.
  return typed as unknown as Route
}
