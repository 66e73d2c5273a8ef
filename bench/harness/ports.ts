import net from 'node:net'

/** Below the range that clients' own ports are taken from. */
const FIRST_PORT = 21_000
const LAST_PORT = 31_000
let lastPort = FIRST_PORT + (process.pid % 5000)

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    lastPort = lastPort >= LAST_PORT ? FIRST_PORT : lastPort + 1
    if (await isFree(lastPort)) return lastPort
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
}
