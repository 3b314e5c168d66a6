import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { printJson, say } from '../output.ts'
import { exampleText } from './shared.ts'

type Options = { json?: boolean; newKey?: string; force?: boolean }

export function addRotateCommand(program: Command, io: Io): void {
  program
    .command('rotate-encryption-key')
    .description(
      'seal all provider keys (and second factors of admin users) in the database in DATA_DIR with a new encryption key',
    )
    .option('--new-key <key>', '32 bytes in base64 or hex, - reads it from stdin; generated when left out')
    .option('--force', 'also while a gateway answers; it has to be restarted at once then')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      exampleText(
        'llm-proxy rotate-encryption-key',
        'openssl rand -base64 32 | llm-proxy rotate-encryption-key --new-key -',
      ),
    )
    .addHelpText('after', NOTE)
    .action((_options, command: Command) => rotate(io, command.optsWithGlobals()))
}

const NOTE = `
Stop the gateway first: a running one goes on with the old key. Interrupted, the command is run again and finishes its work.`

async function rotate(io: Io, options: Options): Promise<void> {
  const { rotateKey } = await import('../rotation.ts')
  const { resealed, oldKeyFile, keyFile } = await rotateKey(io, options)
  if (options.json) return printJson(io, { resealed, key_file: keyFile, old_key_file: oldKeyFile })
  say(
    io,
    `Sealed ${resealed} ${resealed === 1 ? 'secret' : 'secrets'} with the new encryption key (provider keys and second factors).`,
  )
  if (keyFile === null) return say(io, 'Now set ENCRYPTION_KEY to the new key, then start the gateway.')
  say(io, `The new key is in ${keyFile}.`)
  say(io, `The old one is kept in ${oldKeyFile}, for older backups of the database: delete it when there are none.`)
  say(io, options.force ? 'Restart the gateway now.' : 'Start the gateway again.')
}
