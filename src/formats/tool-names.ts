import { createHash } from 'node:crypto'
import type { HubRequest } from './hub.ts'

/** What every provider takes as the name of a tool (wire facts 2.3, the narrowest of them). */
const GOOD = /^[\w-]{1,64}$/

/** The name as a provider takes it: one that is too long, or has signs that are not taken, becomes another, always the same. */
export const toToolName = (name: string): string =>
  GOOD.test(name) ? name : `${name.replace(/[^\w-]/g, '_').slice(0, 51)}_${digest(name)}`

/** The client's own name of the tool that a provider calls so. */
export const ownToolName = (name: string, { tools }: Pick<HubRequest, 'tools'>): string =>
  tools.some((tool) => tool.name === name) ? name : (tools.find((tool) => toToolName(tool.name) === name)?.name ?? name)

const digest = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 12)
