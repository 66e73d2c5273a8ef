import { RawSocket, received } from '../loads/raw-socket.ts'

/** So many connections are asking at any time: any of them may be the one that the new worker accepts. */
const PROBES = 4
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n'
/** Between two questions of one connection after the other: enough to see milliseconds, and little enough not to hold up the boot itself. */
const PAUSE_MS = 2

/** Asks over new connections, again and again, until somebody unknown has answered: `pid <n>` in the body. Resolves with the time. */
export function firstAnswerOfAnother(port: number, known: ReadonlySet<number>, limitMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const limit = setTimeout(() => {
      isOver = true
      reject(new Error(`no new worker answered on port ${port} within ${limitMs / 1000} s`))
    }, limitMs)
    const probe = (): void => {
      if (isOver) return
      const socket = new RawSocket({
        read(_socket, length) {
          const pid = Number(/pid (\d+)/.exec(received.toString('latin1', 0, length))?.[1] ?? 0)
          socket.close()
          if (isOver) return
          if (pid === 0 || known.has(pid)) return void setTimeout(probe, PAUSE_MS)
          isOver = true
          clearTimeout(limit)
          resolve(performance.now())
        },
        lost: () => void setTimeout(probe, PAUSE_MS),
      })
      socket.connect('127.0.0.1', port)
      socket.write(REQUEST)
    }
    for (let index = 0; index < PROBES; index++) probe()
  })
}
