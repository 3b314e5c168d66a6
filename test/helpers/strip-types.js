import { stripTypeScriptTypes } from 'node:module'

/** A Jest transformer: replaces types with white space, so that lines and columns stay where they are. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
}
