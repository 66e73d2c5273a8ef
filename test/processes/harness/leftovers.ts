import { readFile, readdir } from 'node:fs/promises'
import net from 'node:net'

const MARK = 'STATIONMASTER_TEST_MARK'

export interface Leftover {
  readonly pid: number
  readonly command: string
}

/** Put into the environment of what a test starts; every process that comes of it inherits it. */
export function markOf(id: string): Record<string, string> {
  return { [MARK]: id }
}

/** The processes that live and wear this mark. */
export async function markedProcesses(id: string): Promise<Leftover[]> {
  const found: Leftover[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    // A zombie has no environment any more: it only waits to be counted.
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    if (!environment.split('\0').includes(`${MARK}=${id}`)) continue
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    found.push({ pid: Number(pid), command: command.replaceAll('\0', ' ').trim() })
  }
  return found
}

/** Whether somebody accepts connections there. */
export async function isListening(address: net.NetConnectOpts): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = net.connect(address)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Outside of the range from which the kernel takes ports for clients, so that no client of another test has it next. */
const LOWEST_PORT = 15_000
const HIGHEST_PORT = 31_000

/** A port that nobody has, for servers that have to know theirs beforehand. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT))
    const server = net.createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}
