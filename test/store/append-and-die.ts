import { openStore } from '../../src/store/open.ts'
import { aBatch, aRow, NOON } from './samples.ts'

/* A process of its own that writes so many rows, some in each commit, and is killed the moment they are committed. */

const [dataDir = '', count = '0'] = process.argv.slice(2)
const store = await openStore({ dataDir })
const rows = Array.from({ length: Number(count) }, (_, i) =>
  aRow({ at: NOON + i, tokenId: `tok_${i % 3}`, costNanoUsd: BigInt(i) }),
)
for (let i = 0; i < rows.length; i += 7) await store.ledger.append(aBatch({ rows: rows.slice(i, i + 7) }))
process.kill(process.pid, 'SIGKILL')
