import type { HubEvent } from '../../formats/hub.ts'
import type { Usage } from '../../store/store.ts'
import { sumUsage } from '../../usage/sum-usage.ts'
import type { Sent } from './sent.ts'

export type SpliceOptions = {
  sent: Pick<Sent, 'isBegun' | 'text' | 'thought' | 'thoughtIsOver'>
  /** Null: the next answer begins anew. Else it goes on from this. */
  from: { beginning: string; repeats: boolean } | null
  /** The client may send its thoughts back, and they are refused where they are not as their model sealed them. */
  keepsThoughts: boolean
  /** What the answers before have used. */
  spent: Usage | null
}

/** Joins the next answer to what the client has of the one before. */
export type Splice = {
  /** What the client is told of this. */
  push(event: HubEvent): HubEvent[]
  /** The next answer is another one: from here on nothing of it may be told. */
  differs(): boolean
}

type Choice = Extract<HubEvent, { choice: number }>

export function createSplice({ sent, from, keepsThoughts, spent }: SpliceOptions): Splice {
  let differs = false
  const seam = from === null ? createRepeat(sent.text) : createSequel(sent.text, from)
  /** How much of what was thought before has been thought again. */
  let thought = 0
  /** What is thought anew is told while it goes on from that; a thought of its own, or one before what is answered already, is not. */
  let mind: 'same' | 'mute' | 'free' = sent.thoughtIsOver ? 'mute' : 'same'
  const citations: HubEvent[] = []

  const differ = (): HubEvent[] => {
    differs = true
    return []
  }

  const think = (event: Choice): HubEvent[] => {
    if (mind !== 'same') return mind === 'free' ? [event] : []
    const left = sent.thought.length - thought
    const known = event.type === 'reasoning' ? event.text.slice(0, left) : ''
    if ((event.type !== 'reasoning' && left > 0) || !sent.thought.startsWith(known, thought)) return stopThinking()
    thought += known.length
    if (event.type !== 'reasoning') return [event]
    const more = event.text.slice(known.length)
    return more === '' ? [] : [{ ...event, text: more }]
  }

  const stopThinking = (): HubEvent[] => {
    if (mind === 'same' && thought < sent.thought.length) {
      mind = 'mute'
      if (keepsThoughts) return differ()
    }
    return []
  }

  /** Whatever else is answered stands behind all that was. */
  const behind = (event: HubEvent): HubEvent[] => {
    stopThinking()
    const rest = seam.end()
    if (rest === null || differs) return differ()
    return [...said(rest), event]
  }

  const said = (text: string): HubEvent[] => {
    if (!seam.isOver()) return []
    mind = 'free'
    const told: HubEvent[] = text === '' ? [] : [{ type: 'text', choice: 0, text }]
    return [...told, ...citations.splice(0)]
  }

  const ofChoice = (event: Choice): HubEvent[] => {
    switch (event.type) {
      case 'text': {
        stopThinking()
        const rest = seam.push(event.text)
        if (rest === null || differs) return differ()
        return said(rest)
      }
      case 'reasoning':
      case 'signature':
      case 'redacted':
        return think(event)
      case 'citation': {
        const { start, end } = event.citation
        const by = seam.offset()
        const citation = {
          ...event.citation,
          ...(start !== undefined && { start: start + by }),
          ...(end !== undefined && { end: end + by }),
        }
        citations.push({ ...event, citation })
        return said('')
      }
      case 'logprobs':
        return seam.isOver() ? [event] : []
      default:
        return behind(event)
    }
  }

  return {
    push(event) {
      if (differs) return []
      if ('choice' in event) return event.choice === 0 ? ofChoice(event) : differ()
      if (event.type === 'start') return sent.isBegun ? [] : [event]
      if (event.type !== 'usage' || spent === null) return [event]
      return [{ ...event, usage: sumUsage(spent, event.usage) }]
    },
    differs: () => differs,
  }
}

/** Where two answers meet. */
type Seam = {
  /** What is new in this piece; null: it does not fit. */
  push(piece: string): string | null
  /** Nothing more comes: what was kept back until it was clear; null: too little came. */
  end(): string | null
  isOver(): boolean
  /** So far the places in the next answer are from those in the whole one. */
  offset(): number
}

/** The next answer says all of it once more. */
function createRepeat(said: string): Seam {
  let at = 0
  return {
    push(piece) {
      const known = piece.slice(0, said.length - at)
      if (!said.startsWith(known, at)) return null
      at += known.length
      return piece.slice(known.length)
    },
    end: () => (at < said.length ? null : ''),
    isOver: () => at === said.length,
    offset: () => 0,
  }
}

/** The next answer goes on from a beginning, after it has repeated that, where its model does so. */
function createSequel(said: string, { beginning, repeats }: { beginning: string; repeats: boolean }): Seam {
  /** The client has the blanks already that the model was not told of. */
  const blanks = said.slice(beginning.length)
  let isOver = false
  let head = ''
  let dropped = 0

  const goOn = (text: string): string => {
    isOver = true
    const again = text.slice(0, text.length - text.trimStart().length)
    let same = blanks.endsWith(again) ? again.length : 0
    while (same < blanks.length && text[same] === blanks[same]) same++
    dropped += same
    return text.slice(same)
  }

  /** Null: it is not clear yet. `isAll`: and nothing more comes. */
  const decide = (isAll: boolean): string | null => {
    const repeated = repeats && head.startsWith(beginning)
    if (!isAll && repeats && !repeated && beginning.startsWith(head)) return null
    const text = repeated ? head.slice(beginning.length) : head
    // The blanks may come in several pieces.
    if (!isAll && text.length < blanks.length && blanks.startsWith(text)) return null
    if (repeated) dropped += beginning.length
    return goOn(text)
  }

  return {
    push(piece) {
      if (isOver) return piece
      head += piece
      return decide(false) ?? ''
    },
    end: () => (isOver ? '' : decide(true)),
    isOver: () => isOver,
    offset: () => said.length - dropped,
  }
}
