import type { Json } from '../dialect.ts'
import type { HubError } from '../hub.ts'
import { parseError } from '../openai-error.ts'
import { text } from '../read.ts'

/** An error inside a stream, where the status is spent: its type or its code tells whose fault it is. */
export const errorOf = (error: Json): HubError => parseError(isOfRequest(error) ? 400 : 500, { error })

const isOfRequest = ({ type, code }: Json): boolean =>
  type === 'invalid_request_error' || /^(?:invalid|unsupported|unknown|image)_|_image|_policy/.test(text(code))
