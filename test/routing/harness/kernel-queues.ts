import { readFile } from 'node:fs/promises'
import type net from 'node:net'
import { until } from '../../processes/harness/until.ts'

interface Queues {
  readonly unsent: number
  readonly unread: number
}

/** The peer, on this machine and over IPv4, has read all that was written into this socket. */
export async function isRead({ localPort = 0, remotePort = 0 }: net.Socket): Promise<void> {
  await until('the peer to read', async () => {
    const [ours, theirs] = [await queuesOf(localPort, remotePort), await queuesOf(remotePort, localPort)]
    return ours?.unsent === 0 && theirs?.unread === 0
  })
}

/** As the kernel lists it: `sl local_address rem_address st tx_queue:rx_queue …`, all in hexadecimal. */
async function queuesOf(port: number, peerPort: number): Promise<Queues | null> {
  const ends = [port, peerPort].map((number) => `:${number.toString(16).toUpperCase().padStart(4, '0')}`)
  for (const line of (await readFile('/proc/net/tcp', 'utf8')).split('\n')) {
    const [, local, peer, , queues] = line.trim().split(/\s+/)
    if (!local?.endsWith(String(ends[0])) || !peer?.endsWith(String(ends[1]))) continue
    const [unsent = 0, unread = 0] = queues?.split(':').map((text) => Number.parseInt(text, 16)) ?? []
    return { unsent, unread }
  }
  return null
}
