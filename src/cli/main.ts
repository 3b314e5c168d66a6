import '../require-node.ts'
import { processEnvironment } from '../config/load.ts'
import { run } from './program.ts'

// `llm-proxy token list | head -1`: who hangs up has seen enough. A gateway goes on without its reader.
if (process.argv[2] !== 'server') {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}

// No process.exit: what is written into a pipe must arrive, and `server` goes on.
process.exitCode = await run(process.argv.slice(2), {
  env: processEnvironment(),
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: Date.now,
})
