import type { AuditStamp, Page, PageOf } from './store.ts'

/** Something that was told once, and whether the webhook has heard of it. */
export type AlertRecord = {
  id: string
  /** What it is about: there is one record of a key. */
  key: string
  kind: string
  at: number
  text: string
  data: Record<string, unknown>
  /** When it is (next) to be sent; null: not any more, or never. */
  sendAt: number | null
  attempts: number
  deliveredAt: number | null
  /** Why the last try failed. */
  lastError: string | null
}

export interface AlertStore {
  /** Keeps it, with its audit row, unless there is one of that key. False: there was. */
  add(alert: AlertRecord, stamp: AuditStamp): Promise<boolean>
  /** Those to be sent by `now`, oldest first. */
  due(now: number, limit: number): Promise<AlertRecord[]>
  update(
    id: string,
    change: Partial<Pick<AlertRecord, 'sendAt' | 'attempts' | 'deliveredAt' | 'lastError'>>,
  ): Promise<void>
  list(page: Page): Promise<PageOf<AlertRecord>>
}
