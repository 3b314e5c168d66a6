import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { watchFile } from '../../src/config/watch.ts'
import { makeFolder } from '../helpers/folder.ts'
import { eventually } from '../helpers/http.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const watcher of open.splice(0)) watcher.close()
})

function watching(path: string) {
  const heard = { changes: 0, failures: [] as unknown[] }
  const watcher = watchFile(
    path,
    () => heard.changes++,
    (cause) => heard.failures.push(cause),
    5,
  )
  open.push(watcher)
  return {
    heard,
    close: watcher.close,
    changes: (count: number) => eventually(() => heard.changes === count, `${count} changes`),
  }
}

describe('a watched file', () => {
  const given = () => {
    const folder = makeFolder({ 'llm-proxy.yaml': 'a' })
    return { folder, path: join(folder, 'llm-proxy.yaml') }
  }

  it('is heard of when it is written', async () => {
    const { path } = given()
    const { changes } = watching(path)
    writeFileSync(path, 'b')
    await changes(1)
    writeFileSync(path, 'c')
    await changes(2)
  })

  it('is heard of when an editor puts another in its place, again and again', async () => {
    const { folder, path } = given()
    const { changes } = watching(path)
    for (const count of [1, 2, 3]) {
      writeFileSync(join(folder, 'llm-proxy.yaml.tmp'), `new ${count}`)
      renameSync(join(folder, 'llm-proxy.yaml.tmp'), path)
      await changes(count)
    }
  })

  it('is heard of when it is taken away and comes back', async () => {
    const { path } = given()
    const { changes, heard } = watching(path)
    rmSync(path)
    writeFileSync(path, 'back')
    await changes(1)
    expect(heard.failures).toEqual([])
  })

  it('is heard of when Kubernetes swaps the folder behind it', async () => {
    const folder = makeFolder()
    const publish = (version: string) => {
      mkdirSync(join(folder, `..${version}`))
      writeFileSync(join(folder, `..${version}`, 'llm-proxy.yaml'), version)
      symlinkSync(`..${version}`, join(folder, '..data_tmp'))
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    }
    publish('one')
    symlinkSync('..data/llm-proxy.yaml', join(folder, 'llm-proxy.yaml'))
    const { changes } = watching(join(folder, 'llm-proxy.yaml'))
    publish('two')
    await changes(1)
    publish('three')
    await changes(2)
  })

  it('is not heard of when it says the same, nor when its neighbours change', async () => {
    const { folder, path } = given()
    const { changes, heard } = watching(path)
    writeFileSync(path, 'a')
    writeFileSync(join(folder, 'llm-proxy.db'), 'x')
    // Events come in order: when this one is heard, those before it have been.
    writeFileSync(path, 'b')
    await changes(1)
    writeFileSync(path, 'c')
    await changes(2)
    expect(heard.changes).toBe(2)
  })

  it('is not heard of any more once it is closed', async () => {
    const { path } = given()
    const closed = watching(path)
    const other = watching(path)
    closed.close()
    writeFileSync(path, 'b')
    await other.changes(1)
    expect(closed.heard.changes).toBe(0)
  })

  it('in a folder that does not exist is a failure that is told', () => {
    const { heard } = watching('/nowhere/at/all/llm-proxy.yaml')
    expect(heard.failures).toHaveLength(1)
    expect(readdirSync('/')).not.toContain('nowhere')
  })
})
