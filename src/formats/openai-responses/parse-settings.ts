import type { Json } from '../dialect.ts'
import { EFFORTS, type HubEffort, type HubFormat, type HubReasoning, type HubTool, type HubToolChoice } from '../hub.ts'
import { readBoolean, readRecord, readRecords, readText, record, refuse, requireText } from '../read.ts'
import { joinNames } from './namespaces.ts'
import { refuseTool } from './unsupported.ts'

/** A function, or all those of a group. */
export function parseTool(tool: Json, index: number): HubTool[] {
  const at = `tools[${index}]`
  if (tool.type !== 'namespace') return [parseFunction(tool, at, null)]
  const namespace = requireText(tool.name, `${at}.name`)
  const about = readText(tool.description, `${at}.description`)
  const functions = readRecords(tool.tools, `${at}.tools`) ?? refuse(`${at}.tools`, 'is required')
  const parsed = functions.map((one, i) => parseFunction(one, `${at}.tools[${i}]`, namespace))
  // What is said of all of them is said once.
  return parsed.map((one, i) =>
    i > 0 || about === null ? one : { ...one, description: [about, one.description ?? ''].join('\n\n').trim() },
  )
}

/** Flat, unlike in chat: the function's fields are the tool's own. */
function parseFunction(tool: Json, at: string, namespace: string | null): HubTool {
  const type = requireText(tool.type, `${at}.type`)
  if (type !== 'function') refuseTool(`${at}.type`, type)
  const description = readText(tool.description, `${at}.description`)
  const strict = readBoolean(tool.strict, `${at}.strict`)
  return {
    name: joinNames(namespace, requireText(tool.name, `${at}.name`)),
    parameters: readRecord(tool.parameters, `${at}.parameters`),
    ...(description !== null && { description }),
    ...(strict !== null && { strict }),
    ...(namespace !== null && { namespace }),
  }
}

export function parseToolChoice(choice: unknown): HubToolChoice | null {
  if (choice === undefined || choice === null) return null
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice }
  const { type, name, namespace, mode, tools } = record(choice)
  if (type === 'function') {
    const group = readText(namespace, 'tool_choice.namespace')
    return { type: 'tools', names: [joinNames(group, requireText(name, 'tool_choice.name'))], required: true }
  }
  if (type === 'allowed_tools') {
    const allowed = readRecords(tools, 'tool_choice.tools') ?? refuse('tool_choice.tools', 'is required')
    return { type: 'tools', names: allowed.map(parseAllowed), required: mode === 'required' }
  }
  if (typeof type === 'string') return refuseTool('tool_choice.type', type)
  return refuse('tool_choice', 'must be auto, none, required, or name a function')
}

function parseAllowed({ type, name, namespace }: Json, index: number): string {
  const at = `tool_choice.tools[${index}]`
  if (type !== 'function') refuseTool(`${at}.type`, requireText(type, `${at}.type`))
  return joinNames(readText(namespace, `${at}.namespace`), requireText(name, `${at}.name`))
}

export function parseFormat(format: Json | null): HubFormat | null {
  if (format === null) return null
  switch (format.type) {
    case 'text':
      return { type: 'text' }
    case 'json_object':
      return { type: 'json' }
    case 'json_schema': {
      const strict = readBoolean(format.strict, 'text.format.strict')
      const description = readText(format.description, 'text.format.description')
      return {
        type: 'schema',
        name: requireText(format.name, 'text.format.name'),
        schema: readRecord(format.schema, 'text.format.schema') ?? refuse('text.format.schema', 'is required'),
        ...(strict !== null && { strict }),
        ...(description !== null && { description }),
      }
    }
    default:
      return refuse('text.format.type', 'must be one of text, json_object, json_schema')
  }
}

/** Who asks for a summary wants to read what is thought. */
export function parseReasoning(reasoning: Json | null): HubReasoning | null {
  const effort = readText(reasoning?.effort, 'reasoning.effort')
  const summary =
    readText(reasoning?.summary, 'reasoning.summary') ??
    readText(reasoning?.generate_summary, 'reasoning.generate_summary')
  if (effort === null && summary === null) return null
  if (effort !== null && !(EFFORTS as readonly string[]).includes(effort))
    refuse('reasoning.effort', `must be one of ${EFFORTS.join(', ')}`)
  return { effort: effort as HubEffort | null, budgetTokens: null, shown: summary === null ? null : true }
}
