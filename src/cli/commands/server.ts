import type { Command } from 'commander'
import { exampleText } from './shared.ts'

export function addServerCommand(program: Command): void {
  program
    .command('server')
    .description('start the gateway, as "npm start" does')
    .addHelpText('after', exampleText('llm-proxy server', 'PORT=9000 OPENAI_API_KEY=sk-… llm-proxy server'))
    .action(async () => {
      // The gateway takes the process over: its signals, its exit code.
      await import('../../main.ts')
    })
}
