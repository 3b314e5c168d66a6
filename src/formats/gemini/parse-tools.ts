import type { Json } from '../dialect.ts'
import type { HubTool, HubToolChoice } from '../hub.ts'
import { readRecord, readText, readTexts, refuse, requireText, unknownFields } from '../read.ts'
import { readMessage, readMessages } from './fields.ts'
import { toJsonSchema } from './schema.ts'

/** What the provider runs itself (searches, code) nobody else has. */
export function parseTools(tools: unknown, unknown: string[]): HubTool[] {
  return readMessages(tools, 'tools').flatMap(({ functionDeclarations, ...others }, index) => {
    unknown.push(...unknownFields(others, NONE).map((name) => `tools.${name}`))
    const at = `tools[${index}].functionDeclarations`
    return readMessages(functionDeclarations, at).map((declared, place) =>
      parseTool(declared, `${at}[${place}]`, unknown),
    )
  })
}

const NONE: ReadonlySet<string> = new Set()
const KNOWN = new Set('name description parameters parametersJsonSchema'.split(' '))

function parseTool(declared: Json, at: string, unknown: string[]): HubTool {
  unknown.push(...unknownFields(declared, KNOWN).map((name) => `tools.functionDeclarations.${name}`))
  const description = readText(declared.description, `${at}.description`)
  const parameters = readRecord(declared.parameters, `${at}.parameters`)
  return {
    name: requireText(declared.name, `${at}.name`),
    parameters:
      readRecord(declared.parametersJsonSchema, `${at}.parametersJsonSchema`) ??
      (parameters && toJsonSchema(parameters)),
    ...(description && { description }),
  }
}

const AT = 'toolConfig.functionCallingConfig'

export function parseToolChoice(config: unknown, unknown: string[]): HubToolChoice | null {
  const { functionCallingConfig, ...others } = readMessage(config, 'toolConfig') ?? {}
  unknown.push(...unknownFields(others, NONE).map((name) => `toolConfig.${name}`))
  const choice = readMessage(functionCallingConfig, AT)
  if (choice === null) return null
  unknown.push(...unknownFields(choice, CHOICE).map((name) => `${AT}.${name}`))
  const names = readTexts(choice.allowedFunctionNames, `${AT}.allowedFunctionNames`)
  const mode = readText(choice.mode, `${AT}.mode`)?.toUpperCase() ?? 'AUTO'
  switch (mode) {
    case 'NONE':
      return { type: 'none' }
    case 'ANY':
      return names.length === 0 ? { type: 'required' } : { type: 'tools', names, required: true }
    case 'AUTO':
    case 'VALIDATED':
    case 'MODE_UNSPECIFIED':
      return names.length === 0 ? { type: 'auto' } : { type: 'tools', names, required: false }
    default:
      return refuse(`${AT}.mode`, 'must be one of AUTO, ANY, NONE, VALIDATED')
  }
}

const CHOICE = new Set(['mode', 'allowedFunctionNames'])
