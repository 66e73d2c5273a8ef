import type { ListenHandle } from './internals.ts'

/** The longest interval a timer takes; it only keeps the event loop alive. */
const FOREVER_MS = 2 ** 31 - 1

export interface DoorOutside {
  /** Asks the primary for one more copy of the same socket; null if there is none to be had. */
  acquire(use: (copy: ListenHandle | null) => void): void
  /** A connection came in, under this descriptor. */
  onAccepted(fd: number): void
  /** libuv had no descriptor for a connection, and has closed it. */
  onLost(): void
  onClosed(door: Door): void
}

/**
 * What a server holds in place of its listening handle, as node:cluster's own round robin does. The server listens as far as it
 * knows; whether connections come in is decided here, and shutting the door does not start anything that `close()` would.
 * libuv can only stop accepting by closing its copy of the socket, so a door that was shut asks for a new copy to open again.
 */
export class Door implements ListenHandle {
  declare onconnection: ListenHandle['onconnection']
  declare getsockname?: (out: object) => number
  readonly #outside: DoorOutside
  readonly #asyncId: number
  #copy: ListenHandle | null
  #wanted: boolean
  #backlog: number | null = null
  #referenced = true
  #closed = false
  #keeper: NodeJS.Timeout | null = null

  constructor(copy: ListenHandle, open: boolean, outside: DoorOutside) {
    this.#copy = copy
    this.#wanted = open
    this.#outside = outside
    this.#asyncId = copy.getAsyncId()
    this.#rememberAddress(copy)
  }

  /** Called by the server. A refusal is reported as `listen()` reports it. */
  listen(backlog: number): number {
    this.#backlog = backlog
    const error = this.#wanted ? this.#accept() : 0
    this.#keepAlive()
    return error
  }

  /** Lets connections in. */
  open(): void {
    if (this.#wanted || this.#closed) return
    this.#wanted = true
    if (this.#backlog === null) return
    if (this.#copy) this.#accept()
    else this.#outside.acquire((copy) => this.#replace(copy))
    this.#keepAlive()
  }

  /** Lets nobody in; the primary's copy keeps the socket, so nobody is refused either. */
  shut(): void {
    if (!this.#wanted || this.#closed) return
    this.#wanted = false
    if (this.#backlog === null) return
    this.#copy?.close()
    this.#copy = null
    this.#keepAlive()
  }

  close(done?: () => void): void {
    if (!this.#closed) this.#outside.onClosed(this)
    this.#closed = true
    this.#keepAlive()
    if (this.#copy) this.#copy.close(done)
    else if (done) setImmediate(done)
    this.#copy = null
  }

  ref(): void {
    this.#referenced = true
    this.#copy?.ref()
    this.#keepAlive()
  }

  unref(): void {
    this.#referenced = false
    this.#copy?.unref()
    this.#keepAlive()
  }

  getAsyncId(): number {
    return this.#asyncId
  }

  get fd(): number {
    return this.#copy?.fd ?? -1
  }

  #accept(): number {
    const copy = this.#copy as ListenHandle
    copy.onconnection = (error, client) => {
      const fd = client?.fd ?? -1 // asked before the app can close it
      this.onconnection?.(error, client)
      if (error) this.#outside.onLost()
      else this.#outside.onAccepted(fd)
    }
    if (!this.#referenced) copy.unref()
    return copy.listen(this.#backlog as number)
  }

  #replace(copy: ListenHandle | null): void {
    if (!copy) {
      this.#wanted = false // the next open() asks again
      return
    }
    if (!this.#wanted || this.#closed || this.#copy) return copy.close()
    this.#copy = copy
    this.#accept()
    this.#keepAlive()
  }

  /** A socket that is not polled keeps no process alive, but a server does. */
  #keepAlive(): void {
    const needed = this.#referenced && !this.#closed && !(this.#wanted && this.#copy)
    if (needed) this.#keeper ??= setInterval(() => {}, FOREVER_MS)
    else if (this.#keeper) {
      clearInterval(this.#keeper)
      this.#keeper = null
    }
  }

  /** `server.address()` goes on answering while the door is shut. Unix sockets have none, and the server then tells its path. */
  #rememberAddress(copy: ListenHandle): void {
    if (!copy.getsockname) return
    const address = {}
    const error = copy.getsockname(address)
    this.getsockname = (out) => {
      Object.assign(out, address)
      return error
    }
  }
}
