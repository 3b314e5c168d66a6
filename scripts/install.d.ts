export type InstallState = {
  lockHash: string
  lockMtimeMs: number | null
  stampHash: string | null
  stampMtimeMs: number | null
  npmMtimeMs: number | null
}
export function ensureInstalled(root: string): Promise<void>
export function isFresh(state: InstallState): boolean
export function readInstallState(root: string): InstallState
export function npmCommand(env: NodeJS.ProcessEnv): { file: string; args: string[]; shell: boolean }
export function installEnvironment(root: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv
export function withLock<T>(
  lock: string,
  work: () => Promise<T>,
  options?: { say?: (line: string) => void; patienceMs?: number },
): Promise<T>
export class InstallFailed extends Error {}
