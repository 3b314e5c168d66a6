import type { HubRequest, HubTool, HubToolChoice } from './hub.ts'

export const isForced = (choice: HubToolChoice | null): boolean =>
  choice?.type === 'required' || (choice?.type === 'tools' && choice.required)

/** The tool that must be called, where it is one. */
export const forcedTool = (choice: HubToolChoice | null): string | null =>
  choice?.type === 'tools' && choice.required && choice.names.length === 1 ? choice.names[0]! : null

/** The tools that may be called: where some are named, and not one of them forced, most providers can only be told by leaving the others out. */
export function offeredTools({ tools, toolChoice }: Pick<HubRequest, 'tools' | 'toolChoice'>): HubTool[] {
  if (toolChoice?.type !== 'tools' || forcedTool(toolChoice) !== null) return tools
  return tools.filter(({ name }) => toolChoice.names.includes(name))
}
