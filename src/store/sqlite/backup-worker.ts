import { goLast } from '../../low-priority.ts'
import { connectReadOnly, createPrivateFile } from './connect.ts'
import { serve } from './thread.ts'

/** What the thread is asked: copies the file as it is at one moment, also while others write. */
const calls = {
  copy(source: string, target: string): void {
    const reader = connectReadOnly(source)
    try {
      createPrivateFile(target)
      reader.prepare('VACUUM INTO ?').run(target)
    } finally {
      reader.close()
    }
  },
}

export type BackupCalls = typeof calls

goLast()
serve<BackupCalls>(calls, 'of the backup')
