/* A gateway's start as far as the database goes, run as a process of its own by the tests. */
import { openStore } from '../../src/store/open.ts'

const store = await openStore({
  dataDir: String(process.argv[2]),
  log: { info: (message) => console.log(message), warn: console.error },
})
await store.close()
