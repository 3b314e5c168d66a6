import type { Json } from '../dialect.ts'
import type { HubMessage, HubPart, HubRole, HubToolResult } from '../hub.ts'
import { readRecords, readText, refuse, requireText } from '../read.ts'
import { joinNames } from './namespaces.ts'
import { parseContent } from './parse-content.ts'
import { parseReasoning } from './reasoning.ts'
import type { CallSeal } from './seals.ts'
import { refuseItem } from './unsupported.ts'

/**
 * The conversation: a text, or items. What a model gave in one turn stands there as several items (thoughts, a text, calls), and
 * becomes one message; so do the outputs of functions that follow each other.
 */
export function parseInput(input: unknown): HubMessage[] {
  if (typeof input === 'string') return [{ role: 'user', parts: parseContent(input, 'input') }]
  const items = readRecords(input, 'input') ?? refuse('input', 'is required')
  const messages: HubMessage[] = []
  /** Of tool calls, by their ids: they come before their calls. */
  const seals = new Map<string, CallSeal['seal']>()
  items.forEach((item, index) => {
    const at = `input[${index}]`
    switch (item.type) {
      case undefined:
      case null:
      case 'message':
        addMessage(messages, item, at)
        break
      case 'reasoning': {
        const { part, seal } = parseReasoning(item)
        if (seal) seals.set(seal.call, seal.seal)
        if (part) addToTurn(messages, [part])
        break
      }
      case 'function_call':
        addToTurn(messages, [parseCall(item, at, seals)])
        break
      case 'function_call_output':
        addResult(messages, parseResult(item, at))
        break
      default:
        refuseItem(`${at}.type`, requireText(item.type, `${at}.type`))
    }
  })
  return messages
}

const ROLES: readonly unknown[] = ['system', 'developer', 'user'] satisfies HubRole[]

function addMessage(messages: HubMessage[], item: Json, at: string): void {
  const parts = parseContent(item.content ?? refuse(`${at}.content`, 'is required'), `${at}.content`)
  if (item.role === 'assistant') addToTurn(messages, parts)
  else if (ROLES.includes(item.role)) messages.push({ role: item.role as HubRole, parts })
  else refuse(`${at}.role`, 'must be one of system, developer, user, assistant')
}

function addToTurn(messages: HubMessage[], parts: HubPart[]): void {
  const last = messages.at(-1)
  if (last?.role === 'assistant') for (const part of parts) last.parts.push(part)
  else messages.push({ role: 'assistant', parts })
}

function addResult(messages: HubMessage[], result: HubToolResult): void {
  const last = messages.at(-1)
  if (last?.role === 'user' && last.parts.at(-1)?.type === 'tool_result') last.parts.push(result)
  else messages.push({ role: 'user', parts: [result] })
}

function parseCall(item: Json, at: string, seals: Map<string, CallSeal['seal']>): HubPart {
  const id = requireText(item.call_id, `${at}.call_id`)
  return {
    type: 'tool_call',
    id,
    name: joinNames(readText(item.namespace, `${at}.namespace`), requireText(item.name, `${at}.name`)),
    arguments: readText(item.arguments, `${at}.arguments`) ?? '',
    ...seals.get(id),
  }
}

function parseResult(item: Json, at: string): HubToolResult {
  const name = readText(item.name, `${at}.name`)
  return {
    type: 'tool_result',
    id: requireText(item.call_id, `${at}.call_id`),
    parts: parseContent(item.output ?? refuse(`${at}.output`, 'is required'), `${at}.output`),
    ...(name !== null && { name }),
  }
}
