import type { Json } from '../dialect.ts'
import { watchObject } from '../object-watch.ts'
import { createGrowingText } from './growing-text.ts'
import { type Call, callItem, type ItemStatus, reasoningItem, summaryPart } from './items.ts'
import type { Pen } from './pen.ts'

/*
 * An item of a streamed answer while it is written. Every function gives the events to send; `close` those of the end, and the item
 * as it stands in the whole answer, which repeats all that was streamed. So an answer is held until its end: the format wants it.
 */

/** What has been opened, and the events that tell so. */
export type Opened<T> = { events: string; open: T }
export type Closed = { events: string; item: Json }

/** Where an item stands in its stream. */
export type Place = { pen: Pen; id: string; index: number }

export const addItem = ({ pen, index }: Place, item: Json) =>
  pen.event('response.output_item.added', { item, output_index: index })

export const endItem = ({ pen, index }: Place, item: Json) =>
  pen.event('response.output_item.done', { item, output_index: index })

export type OpenReasoning = {
  kind: 'reasoning'
  think(text: string): string
  /** `seal`: as it stands in the item. */
  close(seal: string | null): Closed
}

export function openReasoning(place: Place): Opened<OpenReasoning> {
  const { pen, id, index } = place
  const at = { item_id: id, output_index: index, summary_index: 0 }
  const piece = pen.pieces('response.reasoning_summary_text.delta', at)
  const said = createGrowingText()
  let hasBegun = false
  const open: OpenReasoning = {
    kind: 'reasoning',
    think(more) {
      const begin = hasBegun ? '' : pen.event('response.reasoning_summary_part.added', { ...at, part: summaryPart('') })
      hasBegun = true
      said.add(more)
      return begin + piece(more)
    },
    close(seal) {
      const text = said.whole()
      const item = reasoningItem(id, text, seal)
      const end =
        text === ''
          ? ''
          : pen.event('response.reasoning_summary_text.done', { ...at, text }) +
            pen.event('response.reasoning_summary_part.done', { ...at, part: summaryPart(text) })
      return { events: end + endItem(place, item), item }
    },
  }
  return { events: addItem(place, reasoningItem(id, '', null)), open }
}

export type OpenCall = {
  /** Where its item stands in the output. */
  index: number
  write(json: string): string
  /** Its arguments are a whole object: nothing more is to come. */
  isWhole(): boolean
  close(status: ItemStatus): Closed
}

export function openCall(place: Place, call: Call): Opened<OpenCall> {
  const { pen, id, index } = place
  const at = { item_id: id, output_index: index }
  const piece = pen.pieces('response.function_call_arguments.delta', at)
  const written = createGrowingText()
  const watch = watchObject()
  let isWhole = false
  const write = (more: string) => {
    written.add(more)
    isWhole = watch(more)
    return piece(more)
  }
  const close = (status: ItemStatus) => {
    // A call without arguments has an empty object of them.
    const rest = written.whole() === '' ? write('{}') : ''
    const json = written.whole()
    const end = pen.event('response.function_call_arguments.done', { ...at, arguments: json })
    const item = callItem(id, status, call, json)
    return { events: rest + end + endItem(place, item), item }
  }
  return {
    events: addItem(place, callItem(id, 'in_progress', call, '')),
    open: { index, write, isWhole: () => isWhole, close },
  }
}
