import { createHash } from 'node:crypto'
import type { HubPart, HubRequest } from './hub.ts'

/** What every provider takes (wire facts 2.3, the narrowest of them). */
const GOOD = /^[\w-]{1,64}$/

/**
 * A name that a provider takes. One that it would refuse is shortened and its odd characters replaced, always to the same name; the
 * hash keeps two apart that differ in what was replaced.
 */
export const toToolName = (name: string, taken = GOOD): string => (taken.test(name) ? name : plainName(name))

const plainName = (name: string) => {
  const plain = name.replace(/[^\w-]/g, '_').slice(0, 50)
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12)
  return `${/^[a-z_]/i.test(plain) ? '' : '_'}${plain}_${digest}`
}

/** The name that the client gave, of a tool that a provider's answer names. */
export function ownToolName(name: string, { tools }: Pick<HubRequest, 'tools'>): string {
  if (tools.some((tool) => tool.name === name)) return name
  return tools.find((tool) => plainName(tool.name) === name)?.name ?? name
}

/** The request with names that the provider takes, wherever it names a tool. */
export function withToolNames<T extends Pick<HubRequest, 'messages' | 'tools' | 'toolChoice'>>(
  request: T,
  taken = GOOD,
): T {
  const { messages, tools, toolChoice } = request
  const isFine = ({ name }: { name?: string }) => name === undefined || taken.test(name)
  const isNamed = (part: HubPart) => part.type === 'tool_call' || part.type === 'tool_result'
  if (tools.every(isFine) && messages.every(({ parts }) => parts.filter(isNamed).every(isFine))) return request
  const rename = (name: string) => toToolName(name, taken)
  return {
    ...request,
    tools: tools.map((tool) => ({ ...tool, name: rename(tool.name) })),
    toolChoice: toolChoice?.type === 'tools' ? { ...toolChoice, names: toolChoice.names.map(rename) } : toolChoice,
    messages: messages.map((message) => ({
      ...message,
      parts: message.parts.map((part) =>
        part.type === 'tool_call' || (part.type === 'tool_result' && part.name !== undefined)
          ? { ...part, name: rename(part.name!) }
          : part,
      ),
    })),
  }
}
