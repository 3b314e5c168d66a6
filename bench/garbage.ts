/*
 * Node's inspector, asked for one thing: a full garbage collection, so that memory left over from the start of a process is
 * not taken for that of its streams.
 */

type Reply = { id?: number; error?: { message: string } }

/** Flags for a process whose garbage can be collected from outside. */
export const inspectable = (port: number) => [`--inspect=127.0.0.1:${port}`, '--inspect-publish-uid=http']

/** Collects all garbage of the Node process whose inspector listens on `port`; its memory is given back to the system. */
export async function collectGarbage(port: number): Promise<void> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as { webSocketDebuggerUrl: string }[]
  const socket = new WebSocket(targets[0]!.webSocketDebuggerUrl)
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve()
    socket.onerror = () => reject(new Error('The inspector cannot be reached.'))
  })
  for (const id of [1, 2]) {
    const done = new Promise<Reply>((resolve) => {
      socket.onmessage = ({ data }) => resolve(JSON.parse(String(data)) as Reply)
    })
    socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }))
    const { error } = await done
    if (error) throw new Error(error.message)
  }
  socket.close()
}
