import net from 'node:net'
import type { Channel } from './channel.ts'
import type { RawHandle } from './internals.ts'

interface Pending {
  readonly socket: net.Socket
  readonly handle: RawHandle
  /** Nobody took it: it is still ours. */
  onRefused(): void
}

export interface Recipient {
  readonly owner: number
  /** Of its HTTP servers; null for a connection that a peer opened. */
  readonly server: number | null
}

/** How connections change hands between workers, in an upgrade or between two requests: as sockets, through the primary. */
export interface HandOver {
  /** Gives a connection to another worker, with what was read from it. */
  give(to: Recipient, head: string, socket: net.Socket, onRefused: () => void): void
  /** The primary tells what became of it. */
  settle(transferId: number, taken: boolean): void
}

export function createHandOver(channel: Channel): HandOver {
  const pending = new Map<number, Pending>()
  let lastTransferId = 0
  return {
    give(to, head, socket, onRefused) {
      const handle = (socket as net.Socket & { _handle: RawHandle | null })._handle
      if (!handle) return void socket.destroy()
      // From here on nothing may be read in this process: it would be missing in the other. (After an upgrade the stream is neither flowing nor paused.)
      handle.readStop()
      handle.reading = true // so that the stream does not start again
      const transferId = ++lastTransferId
      pending.set(transferId, { socket, handle, onRefused })
      channel.sendHandle({ kind: 'handOver', transferId, ...to, head }, handle, () => settle(transferId, false))
    },
    settle,
  }

  function settle(transferId: number, taken: boolean): void {
    const transfer = pending.get(transferId)
    pending.delete(transferId)
    if (!transfer) return
    // Closes our copy of the descriptor; the connection lives on in the other worker.
    if (taken) return void transfer.socket.destroy()
    // The stream believes that it is reading; now it is again.
    transfer.handle.readStart()
    transfer.onRefused()
  }
}

/** A connection that another worker gave: it looks newly accepted, and its first bytes are those that were read already. */
export function adoptConnection(handle: unknown, head: string): net.Socket {
  const socket = new net.Socket({ handle, readable: true, writable: true, allowHalfOpen: true } as unknown as net.SocketConstructorOpts)
  socket.on('error', () => {})
  if (head !== '') socket.unshift(Buffer.from(head, 'latin1'))
  return socket
}
