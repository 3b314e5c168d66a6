import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from '@jest/globals'
import { ConfigError } from '../../src/config/config-error.ts'
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A working folder of its own with these files; gone after the test file. */
export function makeFolder(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'llm-proxy-config-'))
  folders.push(folder)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

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
