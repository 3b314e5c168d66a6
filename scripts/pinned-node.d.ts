export type NodeProgram = { path: string; version: string }
export const NEEDED_MAJOR: number
export function chooseNode(options: { pinned: NodeProgram | null; current: NodeProgram }): string | null
export function findPinnedNode(root: string): NodeProgram | null
export function currentNode(): NodeProgram
export function isNewEnough(version: string): boolean
export function oldNodeMessage(version: string): string
export function programEnvironment(root: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv
