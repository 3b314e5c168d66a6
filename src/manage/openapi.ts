import { z } from 'zod'
import { type ErrorCode, GatewayError } from '../errors.ts'
import { VERSION } from '../version.ts'
import type { Route } from './route.ts'

type JsonSchema = Record<string, unknown>

/** The OpenAPI 3.1 document of these routes. Schemas that have an id become components. */
export function openApiDocument(routes: Route[]) {
  const schemas: Record<string, JsonSchema> = {}
  const toSchema = (schema: z.ZodType) => toJsonSchema(schema, schemas)
  const errorSchema = toSchema(errorShape)
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    paths[`/manage${route.path}`] ??= {}
    paths[`/manage${route.path}`]![route.method] = operation(route, toSchema, errorSchema)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'LLM Proxy management API',
      version: VERSION,
      description:
        'Projects, their provider keys, and the tokens that clients use. Times are ISO 8601 in UTC, money is decimal US dollars as text, and secrets can be written but not read. Lists go from page to page with `after`.',
    },
    servers: [{ url: '/' }],
    security: [{ managementToken: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        managementToken: { type: 'http', scheme: 'bearer', description: 'The MANAGEMENT_TOKEN of this gateway.' },
      },
      schemas,
    },
  }
}

const errorShape = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable().describe('The first field at fault.'),
      code: z.string(),
      details: z
        .object({ fields: z.array(z.object({ field: z.string(), reason: z.string() })).optional() })
        .loose()
        .optional(),
    }),
  })
  .meta({
    id: 'Error',
    examples: [
      {
        error: {
          message: 'name is required.',
          type: 'invalid_request_error',
          param: 'name',
          code: 'validation_failed',
          details: { fields: [{ field: 'name', reason: 'is required' }] },
        },
      },
    ],
  })

type ToSchema = (schema: z.ZodType) => JsonSchema

function operation(route: Route, toSchema: ToSchema, errorSchema: JsonSchema) {
  return {
    operationId: route.name,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description && { description: route.description }),
    parameters: [...pathParameters(route), ...queryParameters(route, toSchema)],
    ...(route.body && { requestBody: { required: true, content: json(toSchema(route.body)) } }),
    responses: { [route.status]: success(route, toSchema), ...failures(route, errorSchema) },
  }
}

const pathParameters = ({ path }: Route) =>
  Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))

function queryParameters({ query }: Route, toSchema: ToSchema) {
  const { properties = {} } = (query ? toSchema(query) : {}) as { properties?: Record<string, JsonSchema> }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(description !== undefined && { description }),
    schema,
  }))
}

function success({ answer, hasCsv, summary }: Route, toSchema: ToSchema) {
  if (!answer) return { description: 'Done.' }
  const csv = hasCsv && { 'text/csv': { schema: { type: 'string' } } }
  return { description: summary, content: { ...json(toSchema(answer)), ...csv } }
}

function failures({ errors }: Route, schema: JsonSchema) {
  const all: ErrorCode[] = ['unauthorized', ...errors, 'storage_unavailable']
  const byStatus = Map.groupBy(
    all.map((code) => new GatewayError(code)),
    ({ status }) => status,
  )
  return Object.fromEntries(
    Array.from(byStatus, ([status, of]) => [
      status,
      { description: of.map(({ code, message }) => `\`${code}\`: ${message}`).join(' '), content: json(schema) },
    ]),
  )
}

const json = (schema: JsonSchema) => ({ 'application/json': { schema } })

/** What may be sent, in JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. Definitions move to `components`. */
function toJsonSchema(schema: z.ZodType, components: Record<string, JsonSchema>): JsonSchema {
  const generated = z.toJSONSchema(schema, { io: 'input', override: ({ jsonSchema }) => void tidy(jsonSchema) })
  const { $schema, $defs, ...own } = JSON.parse(
    JSON.stringify(generated).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as JsonSchema & { $defs?: Record<string, JsonSchema> }
  Object.assign(components, $defs)
  return own
}

/** Says with `format` alone what zod also says with a pattern of a whole line, and leaves out bounds that only JavaScript has. */
function tidy(schema: JsonSchema): void {
  if (schema.format === 'date-time' || schema.format === 'date') delete schema.pattern
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
}
