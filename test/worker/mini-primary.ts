import cluster from 'node:cluster'
import type { Worker } from 'node:cluster'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import type { ListenRequest, PrimaryMessage, WorkerMessage } from '../../packages/supervisor/src/wire/messages.ts'
import { seal } from '../../packages/supervisor/src/wire/envelope.ts'
import { parseWorkerMessage } from '../../packages/supervisor/src/wire/parse.ts'

type Kind = WorkerMessage['kind']
type Of<K extends Kind> = Extract<WorkerMessage, { kind: K }>
type Handle = { close(): void; getsockname?(out: object): number }
type CreateHandle = (address: string | null, port: number, type: number, fd?: number, flags?: number) => Handle | number

const createHandle = (net as unknown as { _createServerHandle: CreateHandle })._createServerHandle
const register = new URL('../../packages/supervisor/src/register.ts', import.meta.url).href

/** As much of the primary as a worker needs to live: it binds, hands out, listens and remembers. */
export class MiniPrimary {
  readonly workers: MiniWorker[] = []
  readonly #sockets = new Map<string, Handle>()

  fork(fixture: string, env: Record<string, string> = {}, execArgv: readonly string[] = []): MiniWorker {
    cluster.setupPrimary({
      exec: fileURLToPath(new URL(`./fixtures/${fixture}`, import.meta.url)),
      execArgv: ['--import', register, '--no-warnings', ...execArgv],
      args: [],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    const worker = cluster.fork({ STATIONMASTER_ROLE: 'worker', STATIONMASTER_WORKER_ID: '1', STATIONMASTER_TICK_MS: '50', ...env })
    const mini = new MiniWorker(worker, (request) => this.#answer(mini, request))
    this.workers.push(mini)
    return mini
  }

  /** The port behind the n-th `listen(0)`, or the only one. */
  get port(): number {
    return this.ports[0] as number
  }

  get ports(): number[] {
    return [...this.#sockets.values()].map((handle) => {
      const address: { port?: number } = {}
      handle.getsockname?.(address)
      return address.port ?? 0
    })
  }

  #answer(worker: MiniWorker, request: ListenRequest): void {
    const { requestId, turn, port, host, path, fd, ipv6Only } = request
    const key = JSON.stringify({ turn, port, host, path, fd, ipv6Only })
    const handle = this.#sockets.get(key) ?? bind(request)
    if (typeof handle === 'number') {
      const error = { code: getSystemErrorName(handle), errno: handle, message: getSystemErrorMessage(handle) ?? '' }
      return worker.send({ kind: 'socket', requestId, error })
    }
    this.#sockets.set(key, handle)
    worker.send({ kind: 'socket', requestId, error: null }, handle)
  }

  /** Nothing stays behind: no process, no socket. */
  async end(): Promise<void> {
    for (const worker of this.workers) await worker.kill()
    for (const handle of this.#sockets.values()) handle.close()
  }
}

function bind({ port, host, path, fd, ipv6Only }: ListenRequest): Handle | number {
  if (path !== null) return createHandle(path, -1, -1)
  if (fd !== null) return createHandle(null, -1, -1, fd)
  const any = host === null ? createHandle('::', port ?? 0, 6) : -1
  const address = host ?? '0.0.0.0'
  const handle = typeof any === 'number' ? createHandle(address, port ?? 0, net.isIPv6(address) ? 6 : 4, -1, ipv6Only ? 1 : 0) : any
  const error = typeof handle === 'number' ? handle : bindError(handle)
  if (error === 0) return handle
  if (typeof handle !== 'number') handle.close()
  return error
}

/** libuv keeps "address in use" to itself until it is asked for the address or told to listen. */
function bindError(handle: Handle): number {
  return handle.getsockname?.({}) ?? 0
}

export class MiniWorker {
  readonly worker: Worker
  readonly messages: WorkerMessage[] = []
  /** What was sent that is not in our protocol. */
  readonly foreign: unknown[] = []
  readonly exited: Promise<{ code: number | null; signal: string | null }>
  stderr = ''
  readonly #waiting = new Set<() => void>()

  constructor(worker: Worker, onListen: (request: ListenRequest) => void) {
    this.worker = worker
    this.exited = once(worker, 'exit').then(([code, signal]) => ({ code, signal }))
    worker.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#tell()
    })
    worker.on('message', (raw: unknown) => {
      const parsed = parseWorkerMessage(raw)
      if (parsed.kind === 'message') this.messages.push(parsed.message)
      else this.foreign.push(raw)
      if (parsed.kind === 'message' && parsed.message.kind === 'listen') onListen(parsed.message)
      this.#tell()
    })
    worker.on('exit', () => this.#tell())
  }

  get pid(): number {
    return this.worker.process.pid as number
  }

  send(message: PrimaryMessage, handle?: unknown): void {
    this.worker.send(seal(message), handle as never)
  }

  all<K extends Kind>(kind: K): Of<K>[] {
    return this.messages.filter((message): message is Of<K> => message.kind === kind)
  }

  /** The first message of a kind that fits, already here or yet to come. */
  async seen<K extends Kind>(kind: K, fits: (message: Of<K>) => boolean = () => true): Promise<Of<K>> {
    return await this.until(() => this.all(kind).find(fits), kind)
  }

  /** Asks again after everything that comes from the worker. */
  async until<Value>(look: () => Value | undefined | false, what: string): Promise<Value> {
    for (;;) {
      const value = look()
      if (value !== undefined && value !== false) return value
      if (this.worker.isDead()) throw new Error(`the worker exited before: ${what}\n${this.stderr}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  async kill(): Promise<void> {
    if (!this.worker.isDead()) this.worker.process.kill('SIGKILL')
    await this.exited
  }

  #tell(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
