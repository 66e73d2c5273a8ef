import { once } from 'node:events'
import net from 'node:net'
import type { Duplex } from 'node:stream'

/** A way to a server on this machine that can be shut and opened again; it keeps its port. */
export interface Relay {
  readonly port: number
  /** Cuts every connection and refuses new ones. */
  shut(): Promise<void>
  open(): Promise<void>
  close(): Promise<void>
}

/** Answers of the server go through what `answersThrough` makes, one for each connection. */
export async function openRelay(targetPort: number, answersThrough?: () => Duplex): Promise<Relay> {
  const sockets = new Set<net.Socket>()
  // A client that has said goodbye still waits for the server's, as it would without us.
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const upstream = net.connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      if (one === upstream && answersThrough) one.pipe(answersThrough()).pipe(other)
      else one.pipe(other)
      one.on('error', () => other.destroy()).on('close', () => void (sockets.delete(one) && other.destroy()))
    }
  })
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const shut = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await listen(0)
  const { port } = server.address() as net.AddressInfo
  return { port, shut, open: async () => await listen(port), close: shut }
}
