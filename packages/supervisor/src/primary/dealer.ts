import { EventEmitter } from 'node:events'
import net from 'node:net'
import { StationmasterError } from '../errors.ts'
import type { BoundHandle } from './acceptor.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import { loadForApp } from './socket-io.ts'

/** As much of node:cluster's worker as @socket.io/sticky reads to find the one with the fewest clients. */
export interface CountedWorker {
  readonly process: { readonly pid?: number | undefined }
  clientsCount?: number
}

interface Sticky {
  setupPrimary(server: EventEmitter, options: { readonly loadBalancingMethod: 'least-connection' }): void
}

type Accepted = net.Socket & { readonly _handle?: { readStop(): void } | null }

export interface DealerParts {
  /** The app's entry point: packages of the app are found from there. */
  readonly entry: string
  pid(workerId: number): number | null
  /** All that node:cluster knows of, whatever their state. */
  workers(): readonly CountedWorker[]
}

/** To the library every worker is as good as another; so those that take no clients look as if they had more than anybody. */
const LAST = 1_000_000
const BACKLOG = 511
/** Of connections that stay here because their request has a body; Node itself gives a request as long. */
const IDLE_MS = 300_000

/**
 * With `routing.engine: 'socket.io-sticky'` the primary accepts, and that library reads the head of each connection and gives it to a worker. What it
 * lacks is given where that is possible from outside: clients wait while nobody can serve, and workers that boot, wait or drain get no new ones.
 */
export function createDealer({ entry, pid, workers }: DealerParts): Gatekeeper {
  const front = new EventEmitter()
  const handles = new Set<BoundHandle>()
  const waiting = new Set<net.Socket>()
  const weighed = new WeakSet<CountedWorker>()
  let admitted: ReadonlySet<number | undefined> = new Set()
  loadSticky(entry).setupPrimary(front, { loadBalancingMethod: 'least-connection' })

  const weigh = (): void => {
    for (const worker of workers()) {
      if (weighed.has(worker)) continue
      weighed.add(worker)
      let clients = 0
      Object.defineProperty(worker, 'clientsCount', {
        get: () => clients + (admitted.has(worker.process.pid) ? 0 : LAST),
        set: (count: number) => {
          clients = count % LAST
        },
      })
    }
  }

  const hand = (socket: net.Socket): void => {
    front.emit('connection', socket)
    socket.prependListener('data', weigh)
    socket.prependOnceListener('data', (chunk: Buffer) => {
      if (!staysHere(chunk)) (socket as Accepted)._handle?.readStop()
    })
  }

  const listen = (handle: BoundHandle): void => {
    handle.onconnection = (status, client) => {
      if (status !== 0) return
      const socket = new net.Socket({ handle: client, readable: true, writable: true } as unknown as net.SocketConstructorOpts)
      socket.on('error', () => {}).on('close', () => waiting.delete(socket))
      socket.setTimeout(IDLE_MS, () => socket.destroy()).unref()
      if (admitted.size > 0) hand(socket)
      else waiting.add(socket)
    }
    handle.listen(BACKLOG)
  }

  return {
    deal(handle) {
      if (handles.has(handle)) return
      handles.add(handle)
      if (admitted.size > 0) listen(handle)
    },
    admit(workerIds) {
      const isFirst = admitted.size === 0
      admitted = new Set(workerIds.map((workerId) => pid(workerId) ?? undefined))
      if (!isFirst || admitted.size === 0) return
      for (const handle of handles) if (!handle.onconnection) listen(handle)
      for (const socket of waiting) hand(socket)
      waiting.clear()
    },
    heard() {},
    close() {
      for (const socket of waiting) socket.destroy()
    },
  }
}

/**
 * Node reads on here until the worker has said that it has the connection, and drops what it reads: a client that is quick, as with the first
 * message after an upgrade, would not be heard. A request with a body the library reads here to its end.
 */
function staysHere(firstChunk: Buffer): boolean {
  const head = firstChunk.subarray(0, firstChunk.indexOf('\r\n\r\n')).toString('latin1')
  return /content-length:|transfer-encoding:/i.test(head)
}

function loadSticky(entry: string): Sticky {
  try {
    return loadForApp('@socket.io/sticky', [entry, import.meta.url]) as Sticky
  } catch (cause) {
    const sentence =
      'routing.engine "socket.io-sticky" needs the package @socket.io/sticky, which could not be loaded. Add it to the dependencies of the application, or leave the option out.'
    throw new StationmasterError('SM_PACKAGE_MISSING', 'option', sentence, { cause })
  }
}
