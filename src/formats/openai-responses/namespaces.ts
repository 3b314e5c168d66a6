import type { HubRequest } from '../hub.ts'
import { ownToolName } from '../tool-names.ts'

/*
 * A tool of the type `namespace` is a group of functions, and a call of one of them says its `namespace` beside its name (Codex has its
 * sub-agents and MCP servers so). Nobody else knows groups: to others the name of the group is a part of the function's.
 */

export const joinNames = (namespace: string | null, name: string): string =>
  namespace === null ? name : `${namespace}__${name}`

/** What a call of the tool that a provider's answer names is to the client. */
export function namesOfCall(name: string, request: Pick<HubRequest, 'tools'>): { name: string; namespace?: string } {
  const own = ownToolName(name, request)
  const namespace = request.tools.find((tool) => tool.name === own)?.namespace
  return namespace === undefined ? { name: own } : { name: own.slice(joinNames(namespace, '').length), namespace }
}
