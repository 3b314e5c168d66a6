import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')

export type Instruction = { name: string; text: string }
export type Copy = { from: string | null; sources: string[]; target: string }

/** The Dockerfile, stage by stage: continued lines joined, comments left out. */
export function readStages(): Instruction[][] {
  const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const stages: Instruction[][] = []
  for (const line of lines) {
    const [, name = '', text = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
    if (name === 'FROM') stages.push([])
    stages.at(-1)!.push({ name, text })
  }
  return stages
}

/** The texts of all instructions of one name. */
export const textsOf = (stage: Instruction[], name: string) =>
  stage.filter((instruction) => instruction.name === name).map(({ text }) => text)

export function copiesOf(stage: Instruction[]): Copy[] {
  return textsOf(stage, 'COPY').map((text) => {
    const words = text.split(/\s+/)
    const flags = words.filter((word) => word.startsWith('--'))
    const paths = words.filter((word) => !word.startsWith('--'))
    const from = flags.find((flag) => flag.startsWith('--from='))?.slice('--from='.length) ?? null
    return { from, sources: paths.slice(0, -1), target: paths.at(-1)! }
  })
}

/** `ENV a=1 b=2` as an object. */
export const environmentOf = (stage: Instruction[]): Record<string, string> =>
  Object.fromEntries(textsOf(stage, 'ENV').flatMap((text) => text.split(/\s+/).map((pair) => pair.split('='))))

/** What runs, in exec form (a JSON list), as the image says it. Throws when it is in shell form. */
export const commandOf = (text: string): string[] => JSON.parse(text.slice(text.indexOf('[')))
