import type { Command } from 'commander'
import type { AdminOptions } from '../client.ts'
import { positive } from '../fields.ts'

export type OutputOptions = AdminOptions & { json?: boolean; quiet?: boolean }
export type PageOptions = { limit: number; after?: string; all?: boolean }

/** For what works on a gateway's objects, wherever they are. */
export const addPlaceOptions = (command: Command) =>
  addAddressOptions(command.option('--json', 'print JSON, as the management API has it'))

export const addAddressOptions = (command: Command) =>
  command
    .option('--url <address>', 'work through the gateway at this address [LLM_PROXY_URL]')
    .option('--management-token <token>', 'its management token [MANAGEMENT_TOKEN]')

export const addPageOptions = (command: Command) =>
  command
    .option('--limit <n>', 'how many at most', positive, 50)
    .option('--after <cursor>', 'go on from here')
    .option('--all', 'all there are')

export const toPage = ({ limit, after, all }: PageOptions) => ({ limit: all ? Number.POSITIVE_INFINITY : limit, after })

/** The last line below a page of a table; null when all is said. */
export const moreHint = (cursor: string | null) =>
  cursor === null ? null : `There are more: --after ${cursor}, or --all.`

export function exampleText(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
