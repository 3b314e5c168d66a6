import type { Json } from '../dialect.ts'
import type { HubFormat, HubTool, HubToolChoice } from '../hub.ts'
import { readBoolean, readRecord, readRecords, readText, record, refuse, requireText } from '../read.ts'
import { readCache } from './extensions.ts'

export function parseTool(tool: Json, index: number): HubTool {
  const at = `tools[${index}]`
  const declared = readRecord(tool.function, `${at}.function`)
  if (declared === null) refuse(`${at}.type`, 'must be `function`: other tools are not translated for this model')
  const description = readText(declared.description, `${at}.function.description`)
  const strict = readBoolean(declared.strict, `${at}.function.strict`)
  const cache = readCache(tool)
  return {
    name: requireText(declared.name, `${at}.function.name`),
    parameters: readRecord(declared.parameters, `${at}.function.parameters`),
    ...(description !== null && { description }),
    ...(strict !== null && { strict }),
    ...(cache && { cache }),
  }
}

export function parseToolChoice(choice: unknown): HubToolChoice | null {
  if (choice === undefined || choice === null) return null
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice }
  // As Mistral calls it.
  if (choice === 'any') return { type: 'required' }
  const { type, function: named, allowed_tools } = record(choice)
  if (type === 'function')
    return { type: 'tools', names: [requireText(record(named).name, 'tool_choice.function.name')], required: true }
  if (type === 'allowed_tools') {
    const at = 'tool_choice.allowed_tools'
    const { mode, tools } = readRecord(allowed_tools, at) ?? refuse(at, 'is required')
    if (mode !== 'auto' && mode !== 'required') refuse(`${at}.mode`, 'must be auto or required')
    const names = (readRecords(tools, `${at}.tools`) ?? []).map((tool, index) =>
      requireText(record(tool.function).name, `${at}.tools[${index}].function.name`),
    )
    return { type: 'tools', names, required: mode === 'required' }
  }
  return refuse('tool_choice', 'must be auto, none, required, or name functions')
}

export function parseFormat(format: Json | null): HubFormat | null {
  if (format === null) return null
  switch (format.type) {
    case 'text':
      return { type: 'text' }
    case 'json_object':
      return { type: 'json' }
    case 'json_schema': {
      const at = 'response_format.json_schema'
      const declared = readRecord(format.json_schema, at) ?? refuse(at, 'is required')
      const strict = readBoolean(declared.strict, `${at}.strict`)
      const description = readText(declared.description, `${at}.description`)
      return {
        type: 'schema',
        name: readText(declared.name, `${at}.name`) ?? 'answer',
        schema: readRecord(declared.schema, `${at}.schema`) ?? {},
        ...(strict !== null && { strict }),
        ...(description !== null && { description }),
      }
    }
    default:
      return refuse('response_format.type', 'must be one of text, json_object, json_schema')
  }
}
