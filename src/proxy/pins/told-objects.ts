import type { Json } from '../../formats/dialect.ts'
import type { Place } from './collections.ts'

/** What an answer (or an event of one) tells: the id of the object itself, and of others that belong to it. */
export type ToldObjects = { id: string | null; others: string[] }

/** `body`: JSON of an answer about that place. Only members that the provider itself writes are read, none that echo the request. */
export function objectsIn({ collection, rest }: Place, body: Json): ToldObjects {
  const { path } = collection
  if (collection.list === 'name') return { id: text(body.name), others: [] }
  if (path === '/v1/threads' && rest === 'runs') return { id: text(body.thread_id), others: [] }
  return { id: text(body.id), others: othersIn(path, body) }
}

/** In an event of a stream, whose object stands one level deeper in some. */
export function objectsInEvent(place: Place, event: Json): ToldObjects {
  const { path } = place.collection
  if (path === '/v1/responses') {
    const id = isJson(event.response) ? text(event.response.id) : null
    return { id, others: isJson(event.item) ? containerOf(event.item) : [] }
  }
  if (path === '/v1/threads')
    return { id: event.object === 'thread' ? text(event.id) : text(event.thread_id), others: [] }
  return objectsIn(place, event)
}

function othersIn(path: string, body: Json): string[] {
  if (path === '/v1/batches') return texts([body.output_file_id, body.error_file_id])
  if (path === '/v1/fine_tuning/jobs') return texts(body.result_files)
  if (path === '/v1/uploads') return isJson(body.file) ? texts([body.file.id]) : []
  if (path === '/v1/responses' && Array.isArray(body.output))
    return body.output.flatMap((item) => (isJson(item) ? containerOf(item) : []))
  return []
}

const containerOf = ({ type, container_id }: Json): string[] =>
  type === 'code_interpreter_call' ? texts([container_id]) : []

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null)
const texts = (values: unknown) => (Array.isArray(values) ? values.filter((value) => text(value) !== null) : [])
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
