import { getSystemErrorName } from 'node:util'

/**
 * A client connection on the handle below `net.Socket`, which costs 40 of 110 microseconds less per connection: on a small machine
 * the generator shares the cores with the servers, and what it uses hides the differences between them. Node's own, not public.
 */
interface Handle {
  onread: () => void
  connect(request: object, host: string, port: number): number
  setNoDelay(on: boolean): void
  useUserBuffer(buffer: Buffer): void
  readStart(): number
  writeLatin1String(request: object, text: string): number
  close(): void
}

interface Internals {
  binding(name: 'tcp_wrap'): {
    readonly TCP: new (type: number) => Handle
    readonly TCPConnectWrap: new () => { oncomplete?: (error: number) => void }
    readonly constants: { readonly SOCKET: number }
  }
  binding(name: 'stream_wrap'): {
    readonly WriteWrap: new () => { oncomplete?: (error: number) => void; handle?: Handle }
    readonly streamBaseState: Int32Array
    readonly kReadBytesOrError: number
  }
}

const { TCP, TCPConnectWrap, constants } = (process as unknown as Internals).binding('tcp_wrap')
const { WriteWrap, streamBaseState, kReadBytesOrError } = (process as unknown as Internals).binding('stream_wrap')

/** What was read last, of whichever socket: it is looked at before the next read. */
export const received: Buffer = Buffer.allocUnsafe(65_536)

export interface SocketOwner {
  /** So many bytes are in `received`. */
  read(socket: RawSocket, length: number): void
  /** The connection is of no more use; `how` is a system error, or EOF. */
  lost(socket: RawSocket, how: string): void
}

export class RawSocket {
  readonly #handle: Handle = new TCP(constants.SOCKET)
  readonly #owner: SocketOwner
  #closed = false

  constructor(owner: SocketOwner) {
    this.#owner = owner
  }

  connect(host: string, port: number): void {
    const request = new TCPConnectWrap()
    request.oncomplete = (error) => {
      if (error < 0) this.#lose(error)
    }
    const error = this.#handle.connect(request, host, port)
    if (error < 0) return this.#lose(error)
    this.#handle.setNoDelay(true)
    this.#handle.useUserBuffer(received)
    this.#handle.onread = () => this.#read()
    this.#handle.readStart()
  }

  write(text: string): void {
    if (this.#closed) return
    const request = new WriteWrap()
    request.handle = this.#handle
    request.oncomplete = (error) => {
      if (error < 0) this.#lose(error)
    }
    const error = this.#handle.writeLatin1String(request, text)
    if (error < 0) this.#lose(error)
  }

  close(): void {
    if (!this.#closed) this.#handle.close()
    this.#closed = true
  }

  #read(): void {
    if (this.#closed) return
    const length = streamBaseState[kReadBytesOrError] ?? 0
    if (length > 0) this.#owner.read(this, length)
    else if (length < 0) this.#lose(length)
  }

  /** Told later, never within the call that met the error, as Node does. */
  #lose(error: number): void {
    if (this.#closed) return
    this.close()
    setImmediate(() => this.#owner.lost(this, getSystemErrorName(error)))
  }
}
