import type { Pin, PinChange, PinStore } from '../pins.ts'
import type { Engine } from './engine.ts'

/* Prepared once: stored responses are made at the speed of requests. */

const COLUMNS = `object_id AS objectId, project_id AS projectId, provider, key_id AS keyId, created_at AS createdAt, expires_at AS expiresAt`

const FIND = `SELECT ${COLUMNS} FROM pinned_objects WHERE object_id IN (SELECT value FROM json_each(?))`

const PUT = `INSERT INTO pinned_objects (object_id, project_id, provider, key_id, created_at, expires_at)
  VALUES (@objectId, @projectId, @provider, @keyId, @createdAt, @expiresAt)
  ON CONFLICT (object_id, project_id) DO UPDATE
  SET provider = @provider, key_id = @keyId, created_at = @createdAt, expires_at = @expiresAt`

const TAKE_FROM_OTHERS = `DELETE FROM pinned_objects
  WHERE object_id = @objectId AND project_id <> @projectId AND provider = @provider AND key_id = @keyId`

const IS_OF_OTHERS = `SELECT 1 FROM pinned_objects WHERE object_id = @objectId AND project_id <> @projectId LIMIT 1`

const FORGET = `DELETE FROM pinned_objects WHERE object_id = @objectId AND project_id = @projectId`

const EXPIRE = `DELETE FROM pinned_objects WHERE seq IN (SELECT seq FROM pinned_objects WHERE expires_at <= ? LIMIT ?)`

export function createPinStore({ connection, guard, write }: Engine): PinStore {
  const find = connection.prepare<[string], Pin>(FIND)
  const put = connection.prepare<[Pin]>(PUT)
  const takeFromOthers = connection.prepare<[Pin]>(TAKE_FROM_OTHERS)
  const isOfOthers = connection.prepare<[Pin], number>(IS_OF_OTHERS)
  const forget = connection.prepare<[Pick<Pin, 'objectId' | 'projectId'>]>(FORGET)
  const expire = connection.prepare<[number, number]>(EXPIRE)

  const apply = (change: PinChange) => {
    if (change.kind === 'forgotten') return void forget.run(change.pin)
    if (change.kind === 'made') takeFromOthers.run(change.pin)
    else if (isOfOthers.get(change.pin) !== undefined) return
    put.run(change.pin)
  }

  return {
    find: async (objectIds) => guard(() => find.all(JSON.stringify(objectIds))),
    apply: async (changes) => write(() => changes.forEach(apply)),
    deleteExpired: async (now, limit) => write(() => expire.run(now, limit).changes),
  }
}
