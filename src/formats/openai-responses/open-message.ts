import type { Json } from '../dialect.ts'
import type { HubCitation, HubLogprob } from '../hub.ts'
import { buildLogprobs } from '../openai-logprobs.ts'
import { buildAnnotation } from './annotations.ts'
import { createGrowingText } from './growing-text.ts'
import { type ItemStatus, messageItem, refusalPart, textPart } from './items.ts'
import { addItem, type Closed, endItem, type Opened, type Place } from './open-items.ts'

/** A message while it is written: its parts are texts and refusals, one after the other. */
export type OpenMessage = {
  kind: 'message'
  say(text: string): string
  refuse(text: string): string
  /** Of the text so far. */
  cite(citation: HubCitation): string
  weigh(logprobs: HubLogprob[]): string
  close(status: ItemStatus): Closed
}

export function openMessage(place: Place): Opened<OpenMessage> {
  const content: Json[] = []
  let part: OpenText | OpenRefusal | null = null

  const leave = (): string => {
    if (part === null) return ''
    const { events, item } = part.close()
    part = null
    content.push(item)
    return events
  }
  const inText = (write: (text: OpenText) => string): string => {
    if (part?.kind === 'text') return write(part)
    const left = leave()
    const { events, open } = openText(place, content.length)
    part = open
    return left + events + write(open)
  }
  const open: OpenMessage = {
    kind: 'message',
    say: (more) => inText((text) => text.say(more)),
    cite: (citation) => inText((text) => text.cite(citation)),
    weigh: (logprobs) => inText((text) => text.weigh(logprobs)),
    refuse(more) {
      if (part?.kind === 'refusal') return part.say(more)
      const left = leave()
      const opened = openRefusal(place, content.length)
      part = opened.open
      return left + opened.events + opened.open.say(more)
    },
    close(status) {
      const left = leave()
      const item = messageItem(place.id, status, content)
      return { events: left + endItem(place, item), item }
    },
  }
  return { events: addItem(place, messageItem(place.id, 'in_progress', [])), open }
}

type OpenText = {
  kind: 'text'
  say(text: string): string
  cite(citation: HubCitation): string
  weigh(logprobs: HubLogprob[]): string
  close(): Closed
}

function openText({ pen, id, index }: Place, number: number): Opened<OpenText> {
  const at = { item_id: id, output_index: index, content_index: number }
  const piece = pen.pieces('response.output_text.delta', at, ',"logprobs":[]')
  const annotations: Json[] = []
  const logprobs: Json[] = []
  const said = createGrowingText()
  const open: OpenText = {
    kind: 'text',
    say(more) {
      said.add(more)
      return piece(more)
    },
    cite(citation) {
      const { length } = said.whole()
      const annotation = buildAnnotation(citation, length, length)
      annotations.push(annotation)
      const place = { annotation_index: annotations.length - 1, annotation }
      return pen.event('response.output_text.annotation.added', { ...at, ...place })
    },
    weigh(more) {
      // The text that they are of has gone already.
      const built = buildLogprobs(more)
      logprobs.push(...built)
      return pen.event('response.output_text.delta', { ...at, delta: '', logprobs: built })
    },
    close() {
      const text = said.whole()
      const item = textPart(text, annotations, logprobs)
      const events =
        pen.event('response.output_text.done', { ...at, logprobs, text }) +
        pen.event('response.content_part.done', { ...at, part: item })
      return { events, item }
    },
  }
  return { events: pen.event('response.content_part.added', { ...at, part: textPart('', [], []) }), open }
}

type OpenRefusal = { kind: 'refusal'; say(text: string): string; close(): Closed }

function openRefusal({ pen, id, index }: Place, number: number): Opened<OpenRefusal> {
  const at = { item_id: id, output_index: index, content_index: number }
  const piece = pen.pieces('response.refusal.delta', at)
  const said = createGrowingText()
  const open: OpenRefusal = {
    kind: 'refusal',
    say(more) {
      said.add(more)
      return piece(more)
    },
    close() {
      const refusal = said.whole()
      const item = refusalPart(refusal)
      const events =
        pen.event('response.refusal.done', { ...at, refusal }) +
        pen.event('response.content_part.done', { ...at, part: item })
      return { events, item }
    },
  }
  return { events: pen.event('response.content_part.added', { ...at, part: refusalPart('') }), open }
}
