import * as parse from './parsers.ts'
import type { Option } from './schema.ts'

/** How requests are put into another dialect. */
export const translationOptions = {
  STRICT_TRANSLATION: {
    group: 'providers',
    parse: parse.flag,
    default: false,
    description:
      'Refuse (400 `unsupported_parameter`) what a provider has no place for when a request is translated, in place of dropping it and naming it in `x-llm-proxy-dropped`. One request: `x-llm-proxy-strict: true`.',
  } satisfies Option<boolean, boolean>,
}
