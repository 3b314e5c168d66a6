import type { Dialect, Json } from '../dialect.ts'
import type { HubMessage, HubPart, HubReasoningPart, HubToolCall, HubToolResult } from '../hub.ts'
import type { ModelFacts } from '../model-facts.ts'
import { argumentsOf, withoutEmpty } from '../read.ts'
import { isOwnSeal } from '../seals.ts'
import { buildMedia, USUAL } from './media.ts'
import { buildResponse } from './results.ts'
import { ANY_SEAL } from './seals.ts'

type Lose = Parameters<Dialect['buildRequest']>[2]
type Turn = { role: 'user' | 'model'; parts: Json[] }

const isInstruction = ({ role }: HubMessage) => role === 'system' || role === 'developer'
/** Instructions without anybody who says anything are what is said. */
const isAlone = (messages: HubMessage[]) => messages.every(isInstruction)

/** All instructions, wherever they stood, as one. */
export function buildSystem(messages: HubMessage[], more: string | null): Json | null {
  const parts = isAlone(messages) ? [] : messages.filter(isInstruction).flatMap((message) => message.parts)
  const texts = parts.flatMap((part) => (part.type === 'text' && part.text.trim() !== '' ? [part.text] : []))
  if (more !== null) texts.push(more)
  return texts.length === 0 ? null : { parts: [{ text: texts.join('\n') }] }
}

/** Turns of user and model, one after the other, beginning with the user; results of tools stand first, in the order of their calls. */
export function buildContents(messages: HubMessage[], facts: ModelFacts, lose: Lose): Turn[] {
  const said = isAlone(messages) ? messages : messages.filter((message) => !isInstruction(message))
  const turns: Turn[] = []
  /** The model's last calls: their names by their ids. */
  let calls = new Map<string, string>()
  for (const { role, parts } of merged(said, lose)) {
    const isModel = role === 'assistant'
    if (isModel)
      calls = new Map(parts.flatMap((part) => (part.type === 'tool_call' ? [[part.id, part.name] as const] : [])))
    const built = isModel ? buildModelParts(parts, facts, lose) : buildUserParts(parts, calls, facts, lose)
    if (built.length === 0) continue
    const last = turns.at(-1)
    const side = isModel ? 'model' : 'user'
    if (last?.role === side) append(last.parts, built)
    else turns.push({ role: side, parts: built })
  }
  // A call must come behind something that the user said.
  if (turns[0]?.role !== 'user') turns.unshift({ role: 'user', parts: [{ text: turns.length === 0 ? '' : '…' }] })
  return turns
}

function merged(messages: HubMessage[], lose: Lose): Pick<HubMessage, 'role' | 'parts'>[] {
  const turns: Pick<HubMessage, 'role' | 'parts'>[] = []
  for (const { role, parts, name } of messages) {
    if (name !== undefined) lose('part:messages.name')
    const side = role === 'assistant' ? role : 'user'
    const last = turns.at(-1)
    if (last?.role === side) append(last.parts, parts)
    else turns.push({ role: side, parts: [...parts] })
  }
  return turns
}

/** One by one: as arguments of a call they would overflow the stack when there are very many. */
function append<T>(list: T[], more: readonly T[]): void {
  for (const one of more) list.push(one)
}

function buildModelParts(parts: HubPart[], facts: ModelFacts, lose: Lose): Json[] {
  const built: Json[] = []
  /** Seals whose place comes later. */
  let waiting: string[] = []
  let hasCalls = false
  // A model that draws seals every picture, and takes none back without: where they were kept apart, their order is all there is.
  const draws = parts.some(({ type }) => type === 'image')
  const take = () => {
    if (draws) return waiting.shift() ?? null
    const seal = waiting.at(-1) ?? null
    waiting = []
    return seal
  }
  parts.forEach((part, index) => {
    if (part.type === 'reasoning') {
      const seal = ownSeal(part)
      const last = built.at(-1)
      if (seal === null) return
      if (part.text === '' && isOpen(last) && !lacksSeal(parts[index + 1])) last.thoughtSignature = seal
      else waiting.push(seal)
    } else if (part.type === 'text' || part.type === 'refusal') {
      if (part.text === '') return
      built.push(withoutEmpty({ text: part.text, thoughtSignature: take() }))
    } else if (part.type === 'tool_call') {
      // Of calls side by side the first one is sealed, and refused without.
      const seal = ownSeal(part) ?? take() ?? (facts.sealsCalls && !hasCalls ? ANY_SEAL : null)
      const functionCall = { id: part.id, name: part.name, args: argumentsOf(part.arguments) }
      built.push(withoutEmpty({ functionCall, thoughtSignature: seal }))
      hasCalls = true
    } else if (part.type === 'image')
      built.push(...buildShown(part, lose).map((one) => withoutEmpty({ ...one, thoughtSignature: take() })))
    else built.push(...buildShown(part, lose))
  })
  const left = take()
  if (left !== null) built.push({ text: '', thoughtSignature: left })
  return built
}

/** What may be sealed, and is not yet. */
const isOpen = (part: Json | undefined): part is Json =>
  (part?.text ?? part?.inlineData) !== undefined && part?.thoughtSignature === undefined

/** Dialects without a place for a call's seal keep it in the thought before the call. */
const lacksSeal = (part: HubPart | undefined) => part?.type === 'tool_call' && ownSeal(part) === null

const ownSeal = (part: HubToolCall | HubReasoningPart) => (isOwnSeal(part, 'gemini') ? (part.signature ?? null) : null)

function buildUserParts(parts: HubPart[], calls: Map<string, string>, facts: ModelFacts, lose: Lose): Json[] {
  const order = new Map([...calls.keys()].map((id, index) => [id, index]))
  const placeOf = ({ id }: HubToolResult) => order.get(id) ?? -1
  const results = parts
    .filter((part) => part.type === 'tool_result')
    .sort((one, other) => placeOf(one) - placeOf(other))
  const responses: Json[] = []
  const beside: Json[] = []
  for (const result of results) {
    const { functionResponse, shown } = buildResult(result, calls, facts, lose)
    responses.push({ functionResponse })
    beside.push(...shown)
  }
  return [
    ...responses,
    ...beside,
    ...parts.flatMap((part) => (part.type === 'tool_result' ? [] : buildShown(part, lose))),
  ]
}

/** Types that a result may show inside itself. */
const INSIDE = new Set(['image/png', 'image/jpeg', 'image/webp', 'application/pdf'])

function buildResult(result: HubToolResult, calls: Map<string, string>, facts: ModelFacts, lose: Lose) {
  const texts = result.parts.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  const media = result.parts.filter((part) => part.type !== 'text').flatMap((part) => buildShown(part, lose))
  const isInside = ({ inlineData }: Json) =>
    facts.takesMediaInResults && INSIDE.has(String((inlineData as Json | undefined)?.mimeType))
  const inside = media.filter(isInside)
  const functionResponse = {
    id: result.id,
    name: calls.get(result.id) ?? result.name ?? result.id,
    response: buildResponse(texts.join(''), result.isError === true),
    ...(inside.length > 0 && { parts: inside }),
  }
  return { functionResponse, shown: media.filter((part) => !isInside(part)) }
}

/** What either side may show or say. */
function buildShown(part: HubPart, lose: Lose): Json[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'image': {
      if (part.detail === 'low' || part.detail === 'high') lose('part:image.detail')
      return orLose(buildMedia(part.source, USUAL.image), part, lose)
    }
    case 'audio':
    case 'file':
      return orLose(buildMedia(part.source, USUAL[part.type]), part, lose)
    // The thought of an earlier turn that stands where none belongs.
    case 'reasoning':
      return []
    default:
      lose(`part:${part.type}`)
      return []
  }
}

function orLose(built: Json | null, { type }: HubPart, lose: Lose): Json[] {
  if (built === null) lose(`part:${type}`)
  return built === null ? [] : [built]
}
