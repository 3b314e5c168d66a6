import { ConfigError } from '../../src/config/config-error.ts'
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts'
import { makeFolder } from '../helpers/folder.ts'

/** Loads from this environment and these files alone. */
export function load(env: Record<string, string>, files: Record<string, string> = {}): LoadedConfig {
  return loadConfig({ env, cwd: makeFolder(files) })
}

/** The problems of a configuration that must be refused. */
export function problemsOf(env: Record<string, string>, files: Record<string, string> = {}): readonly string[] {
  return problemsIn(() => load(env, files))
}

export function problemsIn(action: () => unknown): readonly string[] {
  try {
    action()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('the configuration was accepted')
}
