import { lookup } from 'node:dns/promises'
import { stat } from 'node:fs/promises'
import net from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { getSystemErrorName } from 'node:util'
import type { ListenError, ListenRequest } from '../wire/messages.ts'
import { endOrphansOn } from './orphans.ts'
import { findPortHolder } from './port-holder.ts'
import { removeStaleSocket, whatIsAt } from './stale-socket.ts'

/** What node gives for a bound socket; the methods that we use. */
export interface BoundHandle {
  /** Absent for Unix sockets. */
  getsockname?(out: object): number
  close(): void
  listen(backlog: number): number
  onconnection: ((status: number, client: BoundHandle) => void) | null
}

interface NetInternals {
  _createServerHandle?(address: string | null, port: number, family: number, fd?: number, flags?: number): BoundHandle | number
}

export type Opened = { readonly handle: BoundHandle; readonly error: null } | { readonly handle: null; readonly error: ListenError }

/**
 * The primary owns every listening socket for its whole life and gives each worker a copy to accept from. So a connection is
 * never refused while workers come and go: with nobody to accept, it waits in the kernel's queue.
 */
export interface Acceptor {
  /** The socket for a `listen()` of the app: the same request gets the same socket, in whichever worker it is made. */
  open(request: ListenRequest): Promise<Opened>
  /** What is open, for people: `127.0.0.1:3000`, `[::]:3000`, `/run/app.sock`. */
  addresses(): string[]
  /** Nobody is let in any more, and nothing is opened again: `open` answers ECANCELED. */
  close(): void
}

const CLOSED: Opened = { handle: null, error: { code: 'ECANCELED', errno: -125, message: 'The fleet stops and lets nobody in any more.' } }

/** An orphan of an earlier run gives the port back within its own grace; waiting that long saves a crash loop. */
const PORT_WAIT_MS = 3000
const PORT_RETRY_MS = 100
/** The kernel takes a moment to clear away a large process. */
const KILLED_WAIT_MS = 2000
const UV_TCP_IPV6ONLY = 1
const UV_EINVAL = -22
/** What the kernel's address of a Unix socket has room for. */
const MAX_PATH_BYTES = 107

/** `portWaitMs`: how long a port that is in use is waited for. `warn` tells what was done to get one. */
export function createAcceptor(portWaitMs: number = PORT_WAIT_MS, warn: (sentence: string) => void = () => {}): Acceptor {
  const sockets = new Map<string, Promise<Opened>>()
  const opened = new Map<string, BoundHandle>()
  const closing = new AbortController()
  const { signal } = closing
  return {
    open(request) {
      if (signal.aborted) return Promise.resolve(CLOSED)
      const key = JSON.stringify([request.port, request.host, request.path, request.fd, request.ipv6Only, request.turn])
      const known = sockets.get(key)
      if (known) return known
      const socket = bindPatiently(request, { portWaitMs, warn, signal }).then((result) => {
        if (signal.aborted) result.handle?.close()
        if (signal.aborted) return CLOSED
        if (result.handle) opened.set(key, result.handle)
        // A failure is not kept: the next worker may have better luck.
        else sockets.delete(key)
        return result
      })
      sockets.set(key, socket)
      return socket
    },
    addresses: () => [...opened].map(([key, handle]) => (JSON.parse(key)[2] as string | null) ?? addressOf(handle)),
    close() {
      closing.abort()
      for (const handle of opened.values()) handle.close()
      opened.clear()
      sockets.clear()
    },
  }
}

interface Patience {
  readonly portWaitMs: number
  /** Ends the wait. */
  readonly signal: AbortSignal
  warn(sentence: string): void
}

async function bindPatiently(request: ListenRequest, { portWaitMs, signal, warn }: Patience): Promise<Opened> {
  let deadlineMs = portWaitMs
  for (let waitedMs = 0; ; waitedMs += PORT_RETRY_MS) {
    const result = await bind(request)
    if (typeof result !== 'number') return { handle: result, error: null }
    const code = getSystemErrorName(result)
    if (code === 'EADDRINUSE' && request.path !== null && (await removeStaleSocket(request.path))) continue
    const inUse = code === 'EADDRINUSE'
    const timeIsUp = waitedMs >= deadlineMs
    const cleared = inUse && timeIsUp && deadlineMs === portWaitMs && (await clearPlace(request, warn))
    if (cleared) deadlineMs += KILLED_WAIT_MS
    else if (!inUse || timeIsUp) return { handle: null, error: { code, errno: result, message: await explain(code, request) } }
    await wait(PORT_RETRY_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return CLOSED
  }
}

/** True if somebody was in the way who is not any more. */
async function clearPlace({ port, path }: ListenRequest, warn: (sentence: string) => void): Promise<boolean> {
  const place = path ?? port
  const ended = place === null ? [] : await endOrphansOn(place)
  for (const pid of ended)
    warn(`A worker of an earlier supervisor (pid ${pid}) still held ${path ?? `port ${port}`} and did not end by itself: it was killed.`)
  return ended.length > 0
}

async function bind(request: ListenRequest): Promise<BoundHandle | number> {
  const { port, host, path, fd } = request
  if (fd !== null) return create(null, -1, -1, fd)
  // Node 22 would cut it short without a word, and listen somewhere else.
  if (path !== null && Buffer.byteLength(path) > MAX_PATH_BYTES) return UV_EINVAL
  if (path !== null) return create(path, -1, -1)
  const flags = request.ipv6Only ? UV_TCP_IPV6ONLY : 0
  if (host !== null) {
    const { address, family } = await lookup(host).catch(() => ({ address: host, family: net.isIPv6(host) ? 6 : 4 }))
    return create(address, port ?? 0, family, undefined, flags)
  }
  // No host: all addresses, IPv6 and IPv4 by one socket, or IPv4 alone where there is no IPv6. As node does.
  const both = create('::', port ?? 0, 6, undefined, flags)
  return typeof both === 'number' && getSystemErrorName(both) !== 'EADDRINUSE' ? create('0.0.0.0', port ?? 0, 4) : both
}

function create(address: string | null, port: number, family: number, fd?: number, flags?: number): BoundHandle | number {
  const handle = (net as NetInternals)._createServerHandle?.(address, port, family, fd, flags) ?? -38
  if (typeof handle === 'number') return handle
  // libuv tells "address in use" late, at the first question about a TCP socket; Unix sockets have no such question.
  const late = handle.getsockname?.({}) ?? 0
  if (late === 0) return handle
  handle.close()
  return late
}

/** Why nobody can listen there, in a sentence that tells what to do. */
export async function explain(code: string, { port, host, path, fd }: Pick<ListenRequest, 'port' | 'host' | 'path' | 'fd'>): Promise<string> {
  const where = path ?? (fd !== null ? `file descriptor ${fd}` : `port ${port}${host ? ` on ${host}` : ''}`)
  if (code === 'EADDRINUSE') {
    if (path !== null && (await whatIsAt(path)) === 'no socket')
      return `Cannot listen on ${where}: something that is no socket is there. Remove it, or choose another path.`
    const place = path ?? port
    const holder = place === null ? null : await findPortHolder(place)
    return `Cannot listen on ${where}: it is in use by ${holder ?? 'another process'}. End that process, or choose another ${path === null ? 'port' : 'path'}.`
  }
  if (path !== null && Buffer.byteLength(path) > MAX_PATH_BYTES)
    return `Cannot listen on ${where}: a Unix socket's path may have ${MAX_PATH_BYTES} bytes, this one has ${Buffer.byteLength(path)}. Choose a shorter one, such as one in /tmp.`
  if (path !== null && !(await stat(dirname(path)).catch(() => null)))
    return `Cannot listen on ${where}: the folder ${dirname(path)} does not exist. Make it first, or choose another path.`
  if (code === 'EINVAL' && fd !== null) return `Cannot listen on ${where}: it is no socket. Listen on a port, or pass one that is.`
  if (code === 'EACCES') return `Cannot listen on ${where}: permission denied. Choose a port from 1024 up, or a path that this user may write.`
  if (code === 'EADDRNOTAVAIL') return `Cannot listen on ${where}: this machine does not have that address. Leave the host out to listen on all.`
  return `Cannot listen on ${where}: ${code}.`
}

function addressOf(handle: BoundHandle): string {
  const out: { address?: string; port?: number; family?: string } = {}
  handle.getsockname?.(out)
  return out.family === 'IPv6' ? `[${out.address}]:${out.port}` : `${out.address}:${out.port}`
}
