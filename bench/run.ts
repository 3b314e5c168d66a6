/*
 * npm run bench [-- --quick] [-- --json]     the table, about three minutes (--quick: 40 seconds, rougher)
 * npm run bench -- encoding                  plain or compressed answers from the provider: what costs the gateway less
 * npm run bench -- routing                   what routes and rules cost
 * npm run bench -- bodies                    what keeping the bodies of requests and answers costs
 * npm run bench -- profile                   where the gateway's CPU goes under load
 * npm run bench -- ledger [--rows=<n>]       appending, reports and pages with ten million rows (--quick: one million)
 * npm run bench -- console [--rows=<n>]      server time of every page of the admin console, with as many rows
 * npm run bench -- formats                   what a translation between dialects costs, alone
 * npm run bench -- translation               the same on the data path, and the memory of a stream
 *
 * Each also leaves its numbers in bench/results/; --json prints those instead of the table.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchEncoding } from './accept-encoding.ts'
import { benchBodies } from './body-log.ts'
import { compare } from './compare.ts'
import { benchConsole } from './console.ts'
import { benchFormats } from './formats.ts'
import { benchLedger } from './ledger-rows.ts'
import { openWorkshop, type Workshop } from './processes.ts'
import { benchProfile } from './profile.ts'
import { benchRouting } from './routing.ts'
import { benchTranslation } from './translation.ts'

type Command = (workshop: Workshop, quick: boolean) => Promise<{ text: string; data: unknown }>

const ledger: Command = (workshop, quick) => benchLedger(workshop, rows ?? (quick ? 1_000_000 : 10_000_000))
const pages: Command = (workshop, quick) => benchConsole(workshop, rows ?? (quick ? 1_000_000 : 10_000_000))
const COMMANDS: Record<string, Command> = {
  compare,
  encoding: benchEncoding,
  bodies: benchBodies,
  profile: benchProfile,
  ledger,
  console: pages,
  formats: benchFormats,
  translation: benchTranslation,
  routing: benchRouting,
}
const FLAGS = ['--quick', '--json']

const given = process.argv.slice(2)
const rowsGiven = given.find((arg) => /^--rows=\d+$/.test(arg))
const rows = rowsGiven === undefined ? null : Number(rowsGiven.slice('--rows='.length))
const args = given.filter((arg) => arg !== rowsGiven)
const flags = args.filter((arg) => arg.startsWith('--'))
const [name = 'compare', ...rest] = args.filter((arg) => !arg.startsWith('--'))
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
if (!command || rest.length > 0 || flags.some((flag) => !FLAGS.includes(flag))) {
  console.error(`Usage: npm run bench -- [${Object.keys(COMMANDS).join('|')}] [--quick] [--json] [--rows=<n>]`)
  process.exit(2)
}

const { text, data } = await command(openWorkshop(), flags.includes('--quick'))
const folder = join(import.meta.dirname, 'results')
const file = join(folder, `${name}-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.json`)
mkdirSync(folder, { recursive: true })
writeFileSync(file, `${JSON.stringify(data, null, 2)}\n`)
console.log(flags.includes('--json') ? JSON.stringify(data) : `${text}\n\nKept in ${file}`)
process.exit(0)
