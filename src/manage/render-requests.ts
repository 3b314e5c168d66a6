import { presentRequest } from '../domain/present.ts'
import type { LedgerRow, PageOf } from '../store/store.ts'
import { toList } from './to-list.ts'

/** The answer of `GET /manage/requests`. Runs where the ledger is read: hence nothing is imported here that takes long to load. */
export default function renderRequests(page: PageOf<LedgerRow>): string {
  return JSON.stringify(toList(page, presentRequest))
}
