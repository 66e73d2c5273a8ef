import { RawSocket, received, type SocketOwner } from './raw-socket.ts'
import { isOk, parseResponse } from './response.ts'

export interface ClientOutside {
  readonly request: string
  readonly isStopping: () => boolean
  nextAddress(): { readonly host: string; readonly port: number }
  answered(): void
  /** Sees every answer if there is such a method; that costs. */
  readonly inspect: ((answer: Buffer) => void) | null
  failed(how: string): void
}

/** After a connection that could not be had the next try waits, as any client's does; otherwise refusals alone would fill the machine. */
const RETRY_DELAY_MS = 5

/** One client with one request under way. Strict: a request that was begun and not answered in full has failed, whoever closed the connection. */
export class Client implements SocketOwner {
  readonly #outside: ClientOutside
  #socket: RawSocket | null = null
  /** When the request under way was begun; null while there is none. */
  #sinceMs: number | null = null
  #part: Buffer | null = null
  /** Length of a whole response that keeps the connection open, known after the first one; saves looking into the others. */
  #usualLength = -1

  constructor(outside: ClientOutside) {
    this.#outside = outside
  }

  begin(): void {
    if (this.#outside.isStopping()) return
    this.#sinceMs = performance.now()
    const { host, port } = this.#outside.nextAddress()
    this.#socket = new RawSocket(this)
    this.#socket.connect(host, port)
    this.#socket.write(this.#outside.request)
  }

  /** Fails the request under way if it is older than this. */
  expire(limitMs: number, how: string): void {
    if (this.#sinceMs === null || performance.now() - this.#sinceMs < limitMs) return
    this.close()
    this.#outside.failed(how)
    this.begin()
  }

  get isWaiting(): boolean {
    return this.#sinceMs !== null
  }

  close(): void {
    this.#socket?.close()
    this.#socket = null
    this.#sinceMs = null
    this.#part = null
  }

  read(socket: RawSocket, length: number): void {
    if (socket !== this.#socket) return
    if (this.#part === null && length === this.#usualLength && isOk(received)) return this.#answered(true)
    const chunk = received.subarray(0, length)
    const bytes = this.#part ? Buffer.concat([this.#part, chunk]) : Buffer.from(chunk)
    const response = parseResponse(bytes)
    this.#part = response ? null : bytes
    if (!response) return
    if (!isOk(bytes)) return this.#refused(bytes)
    this.#outside.inspect?.(bytes)
    if (response.keepsOpen && !this.#outside.inspect) this.#usualLength = response.length
    this.#answered(response.keepsOpen)
  }

  lost(socket: RawSocket, how: string): void {
    if (socket !== this.#socket) return
    const wasWaiting = this.isWaiting
    this.close()
    if (wasWaiting) this.#outside.failed(how)
    if (how === 'EOF' || how === 'ECONNRESET') this.begin()
    else setTimeout(() => this.begin(), RETRY_DELAY_MS)
  }

  #answered(keepsOpen: boolean): void {
    this.#sinceMs = null
    this.#outside.answered()
    if (!keepsOpen) return this.#again()
    if (this.#outside.isStopping()) return
    this.#sinceMs = performance.now()
    this.#socket?.write(this.#outside.request)
  }

  #refused(bytes: Buffer): void {
    this.#outside.failed(`status ${bytes.toString('latin1', 9, 12)}`)
    this.#again()
  }

  #again(): void {
    this.close()
    this.begin()
  }
}
