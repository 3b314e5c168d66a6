import { randomBytes } from 'node:crypto'
import { type Dirent, existsSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileErrorText } from '../../config/environment.ts'
import { type Check, failure, ok, warning } from './check.ts'

const MB = 1024 * 1024
const SCARCE_BYTES = 1024 * MB
const TOO_LITTLE_BYTES = 100 * MB

/** The folder of the database and the secrets: there, writable, private, with room. */
export function checkDataFolder(dataDir: string): Check[] {
  if (!existsSync(dataDir)) return [checkMissing(dataDir)]
  if (!statSync(dataDir).isDirectory()) {
    return [failure('data folder', `${dataDir} is not a folder`, 'Set DATA_DIR to a folder.')]
  }
  return [checkWritable(dataDir, dataDir), checkModes(dataDir), checkSpace(dataDir)]
}

function checkMissing(dataDir: string): Check {
  let parent = dirname(dataDir)
  while (!existsSync(parent)) parent = dirname(parent)
  const writable = checkWritable(parent, dataDir)
  if (writable.status !== 'ok') return writable
  return warning(
    'data folder',
    `${dataDir} does not exist yet`,
    'The gateway makes it at its first start. Is DATA_DIR right?',
  )
}

/** By trying: what the modes say is not the last word (root, read-only file systems, ACLs). */
function checkWritable(folder: string, dataDir: string): Check {
  const probe = join(folder, `.doctor-${randomBytes(6).toString('hex')}`)
  try {
    writeFileSync(probe, '', { flag: 'wx', mode: 0o600 })
    return ok('data folder', `${dataDir} is writable`)
  } catch (error) {
    const advice = 'Let the user that runs the gateway write there, or set DATA_DIR to another folder.'
    return failure('data folder', `${folder} is not writable: ${fileErrorText(error)}`, advice)
  } finally {
    rmSync(probe, { force: true })
  }
}

function checkModes(dataDir: string): Check {
  if (process.platform === 'win32') return ok('file modes', 'not looked at on Windows')
  const files = readdirSync(dataDir, { withFileTypes: true }).filter((entry) => entry.isFile() && isPrivate(entry))
  const open = files.map(({ name }) => name).filter((name) => (statSync(join(dataDir, name)).mode & 0o077) !== 0)
  if (open.length === 0) return ok('file modes', 'secrets and database are for their owner alone')
  return warning('file modes', `others can read ${open.join(', ')}`, `cd ${dataDir} && chmod 600 ${open.join(' ')}`)
}

const isPrivate = ({ name }: Dirent) => /^(encryption-key|management-token|llm-proxy\.db|ledger-|bodies-)/.test(name)

function checkSpace(dataDir: string): Check {
  const { bavail, bsize } = statfsSync(dataDir)
  const free = bavail * bsize
  const detail = `${free >= 10_240 * MB ? `${Math.floor(free / 1024 / MB)} GB` : `${Math.floor(free / MB)} MB`} free`
  const advice = 'Free some space: a full disk stops the gateway from taking requests.'
  if (free < TOO_LITTLE_BYTES) return failure('disk', detail, advice)
  return free < SCARCE_BYTES ? warning('disk', detail, advice) : ok('disk', detail)
}
