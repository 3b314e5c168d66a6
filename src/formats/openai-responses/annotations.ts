import type { Json } from '../dialect.ts'
import type { HubCitation } from '../hub.ts'
import { records } from '../read.ts'

/** `from`, `to`: where in its part the text that is cited for begins and ends, when the citation does not say. */
export const buildAnnotation = ({ url, title, start, end }: HubCitation, from: number, to: number): Json => ({
  type: 'url_citation',
  start_index: start ?? from,
  end_index: end ?? to,
  url: url ?? '',
  title: title ?? '',
})

/** Files and containers, which the other annotations are about, are in one account of one provider. */
export const parseAnnotations = (annotations: unknown): HubCitation[] =>
  records(annotations).flatMap(({ type, url, title, start_index, end_index }) => {
    if (type !== 'url_citation') return []
    return [
      {
        ...(typeof url === 'string' && { url }),
        ...(typeof title === 'string' && { title }),
        ...(typeof start_index === 'number' && { start: start_index }),
        ...(typeof end_index === 'number' && { end: end_index }),
      },
    ]
  })
