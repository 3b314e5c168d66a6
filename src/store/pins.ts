/** An object at a provider (a file, a batch, a stored response …) that a project made, and the account that has it. */
export type Pin = {
  /** As the provider calls it. */
  objectId: string
  projectId: string
  provider: string
  /** Of the project's key that made it; `shared` for the operator's. */
  keyId: string
  createdAt: number
  /** When the provider will have forgotten it; null: it keeps it. */
  expiresAt: number | null
}

/**
 * `made`: the project has just made it, whoever had something of that name in the same account before. `seen`: it came with something
 * of the project's; nothing happens when it is another project's. `forgotten`: it was deleted.
 */
export type PinChange =
  | { kind: 'made' | 'seen'; pin: Pin }
  | { kind: 'forgotten'; pin: Pick<Pin, 'objectId' | 'projectId'> }

export interface PinStore {
  /** All that is known of these objects, of all projects, at all providers. */
  find(objectIds: readonly string[]): Promise<Pin[]>
  /** All of them, in this order, in one transaction. */
  apply(changes: readonly PinChange[]): Promise<void>
  /** Deletes those that have expired, at most `limit` of them; how many. */
  deleteExpired(now: number, limit: number): Promise<number>
}
