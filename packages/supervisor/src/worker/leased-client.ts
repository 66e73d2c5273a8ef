import type { Socket } from 'node:net'
import type { Client } from 'pg'
import type { ConnectionLedger } from './connection-ledger.ts'

/** What pg keeps inside a client, as far as it is needed here. */
interface ClientInside {
  readonly connection?: { stream: Socket; emit(event: string, ...args: unknown[]): boolean; on(event: string, listener: () => void): void }
  readonly connectionParameters?: { application_name?: string }
  readonly host?: string
  readonly port?: number
  connect(callback?: (error?: Error | null) => void): unknown
}

type ConnectCallback = (error?: Error | null, client?: unknown) => void
type ConnectionOf<Inside extends ClientInside> = NonNullable<Inside['connection']>
export type ClientClass = new (config?: unknown) => Client

/** A database that fails in one of these ways fails for everybody: gone, starting, shutting down, full. A wrong password is not among them. */
const AWAY = /^(ECONN[A-Z]+|EPIPE|ETIMEDOUT|EHOST[A-Z]+|ENET[A-Z]+|ENOTFOUND|EAI_AGAIN|ENOENT|08...|53...|57...)$/

/** pg's own client, or the app's, that enters itself into the ledger. Still an instance of the class it was made from. */
export function leasedClientClass(base: ClientClass, ledger: ConnectionLedger, name: string): ClientClass {
  return class LeasedClient extends (base as unknown as new (config?: unknown) => ClientInside) {
    override connect(callback?: ConnectCallback): unknown {
      if (callback) return this.#connect(callback)
      return new Promise((resolve, reject) => {
        this.#connect((error) => (error ? reject(error) : resolve(this)))
      })
    }

    #connect(callback: ConnectCallback): void {
      const backOff = ledger.backOffOf(`${this.host}:${this.port}`)
      const refused = backOff.refuse()
      if (refused) return process.nextTick(() => callback(refused))
      takeName(this, name)
      enter(this, ledger.opened())
      super.connect((error) => {
        if (error && isAway(error)) backOff.failed(error)
        else backOff.succeeded()
        callback(error, this)
      })
    }
  } as unknown as ClientClass
}

function isAway(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === undefined || AWAY.test(code)
}

/** By its name the server tells whose a connection is, also after its worker died. A name of the app's own follows. */
function takeName({ connectionParameters: parameters }: ClientInside, name: string): void {
  if (parameters) parameters.application_name = parameters.application_name ? `${name} ${parameters.application_name}` : name
}

/** From here on the connection counts, until the server has closed its end. */
function enter(client: ClientInside, closed: () => void): void {
  const { connection } = client
  // A client that is not made of a socket (pg-native) says itself when it is done.
  if (!connection?.stream) return void (client as unknown as NodeJS.EventEmitter).once('end', closed)
  const { stream } = connection
  let isUsed = false
  stream.once('connect', () => {
    isUsed = true
  })
  stream.once('close', closed)
  const undo = lingerInstead(stream, connection, () => isUsed)
  // With TLS the socket is wrapped, and from here on it is the wrapper that gets destroyed.
  connection.on('sslconnect', () => {
    undo()
    connection.stream.once('close', closed)
    lingerInstead(connection.stream, connection, () => true)
  })
}

/**
 * Destroying a socket ends nothing on the server: a backend that works on a query notices only when it next reads, or checks. So the socket is
 * half closed and kept until the server closes it, which it does as its backend is gone; to pg it looks closed at once.
 */
function lingerInstead(stream: Socket, connection: ConnectionOf<ClientInside>, isUsed: () => boolean): () => void {
  const destroy = stream.destroy.bind(stream)
  let lingers = false
  stream.destroy = (error?: Error) => {
    // What never was connected, what failed, and what the server has closed needs no goodbye; Node itself calls this then.
    if (!isUsed() || (error && 'syscall' in error) || stream.errored || stream.readableEnded) return destroy(error)
    if (lingers) return stream
    lingers = true
    stream.removeAllListeners('data')
    stream.on('error', () => destroy())
    stream.on('end', () => destroy())
    stream.end()
    stream.resume()
    stream.unref()
    process.nextTick(() => {
      if (error) connection.emit('error', error)
      connection.emit('end')
    })
    return stream
  }
  return () => {
    stream.destroy = destroy
  }
}
