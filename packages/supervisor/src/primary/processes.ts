import cluster, { type Worker } from 'node:cluster'
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import type { PrimaryMessage } from '../wire/messages.ts'
import { seal } from '../wire/envelope.ts'
import { containGarbage } from './contain.ts'
import { boundRelay, MOST_WAITING_BYTES } from './relay.ts'
import { createStderrTail } from './stderr-tail.ts'

export interface ForkSpec {
  readonly workerId: number
  readonly entry: string
  readonly args: readonly string[]
  readonly execArgv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface ProcessEvents {
  onForked(workerId: number, pid: number): void
  onForkFailed(workerId: number, message: string): void
  /** Anything at all that came over the IPC channel. */
  onMessage(workerId: number, message: unknown, handle: unknown): void
  onStderr(chunk: Buffer): void
  warn(sentence: string): void
  onExit(workerId: number, exit: ProcessExit): void
}

export interface ProcessExit {
  readonly pid: number
  readonly code: number | null
  readonly signal: string | null
  readonly lastStderrLines: readonly string[]
}

export interface Processes {
  fork(spec: ForkSpec): void
  /**
   * False if there is nobody to send to. `done` is called when the message was handed to the kernel, or could not be. A message with a handle comes
   * twice, the second time without it: a process at its limit of descriptors cannot receive one, and Node then drops the message too.
   */
  send(workerId: number, message: PrimaryMessage, handle?: unknown, done?: () => void): boolean
  /** To everybody else. */
  sendToOthers(workerId: number, message: PrimaryMessage): void
  kill(workerId: number, signal: NodeJS.Signals): void
  pid(workerId: number): number | null
  /** What did not end though it was killed shall keep this process no longer; should it ever wake up, it finds itself alone. */
  abandon(): void
  /** Calls back for what this worker writes to stderr; returns the way to end that. */
  onStderr(workerId: number, listener: (text: string) => void): () => void
}

interface Entry {
  readonly worker: Worker
  readonly tail: ReturnType<typeof createStderrTail>
}

/** A grandchild may hold the dead worker's stderr open; its last lines are worth this wait and no more. */
const LAST_LINES_WAIT_MS = 200

/** True in a process that a supervisor, or anybody else by `node:cluster`, has forked: it cannot fork workers of its own. */
export const isForked = (): boolean => cluster.isWorker

/** For libraries that know workers by these objects. */
export const clusterWorkers = (): readonly Worker[] => Object.values(cluster.workers ?? {}).flatMap((worker) => worker ?? [])

/** The only place that knows `node:cluster`: forks, signals, and what comes back from both. */
export function createProcesses(events: ProcessEvents): Processes {
  const entries = new Map<number, Entry>()

  function fork(spec: ForkSpec): void {
    let worker: Worker
    try {
      worker = forkProcess(spec)
    } catch (error) {
      return events.onForkFailed(spec.workerId, messageOf(error))
    }
    const { pid } = worker.process
    // A worker without a pid (EAGAIN, ENOMEM) says why by an error event, and node:cluster would list it for ever.
    worker.on('error', (error) => {
      if (pid === undefined) events.onForkFailed(spec.workerId, messageOf(error))
    })
    if (pid === undefined) return void delete cluster.workers?.[worker.id]
    adopt(spec.workerId, worker, pid)
    events.onForked(spec.workerId, pid)
  }

  function adopt(workerId: number, worker: Worker, pid: number): void {
    const tail = createStderrTail()
    entries.set(workerId, { worker, tail })
    worker.process.stderr?.on('data', (chunk: Buffer) => {
      tail.push(chunk.toString('utf8'))
      events.onStderr(chunk)
    })
    containGarbage(worker.process, (error) => events.warn(saysGarbage(workerId, error)))
    boundRelay(worker, () => events.warn(missesBroadcasts(workerId)))
    worker.on('message', (message: unknown, handle: unknown) => events.onMessage(workerId, message, handle))
    onceGone(worker, (code, signal) => {
      entries.delete(workerId)
      events.onExit(workerId, { pid, code, signal, lastStderrLines: tail.lines() })
    })
  }

  return {
    fork,
    send(workerId, message, handle, done = () => {}) {
      const worker = entries.get(workerId)?.worker
      if (!worker?.isConnected()) return false
      // A worker that is going may be gone before it reads this: its exit tells, the failed write need not.
      worker.send(seal(message) as object, handle as never, () => done())
      if (handle !== undefined) worker.send(seal(message) as object, () => {})
      return true
    },
    sendToOthers(workerId, message) {
      for (const id of entries.keys()) if (id !== workerId) this.send(id, message)
    },
    kill: (workerId, signal) => void entries.get(workerId)?.worker.process.kill(signal),
    pid: (workerId) => entries.get(workerId)?.worker.process.pid ?? null,
    abandon() {
      for (const { worker } of entries.values()) {
        worker.process.stderr?.destroy()
        if (worker.isConnected()) worker.process.disconnect()
        worker.process.unref()
      }
      entries.clear()
    },
    onStderr(workerId, listener) {
      const stderr = entries.get(workerId)?.worker.process.stderr
      const hear = (chunk: Buffer): void => listener(chunk.toString('utf8'))
      stderr?.on('data', hear)
      return () => stderr?.off('data', hear)
    },
  }
}

/** Pipes and sockets that a fork opens, some of them for a moment only, and as many again for everybody else. */
const DESCRIPTORS_OF_A_FORK = 16

/**
 * A fork that runs out of descriptors half-way leaves those that it had opened open (Node 22 to 26), so that each try would take what
 * has just become free, and none would ever succeed. So it is not tried.
 */
function requireDescriptors(): void {
  const open: number[] = []
  try {
    while (open.length < DESCRIPTORS_OF_A_FORK) open.push(openSync(devNull, 'r'))
  } finally {
    for (const descriptor of open) closeSync(descriptor)
  }
}

function forkProcess(spec: ForkSpec): Worker {
  requireDescriptors()
  cluster.setupPrimary({
    exec: spec.entry,
    args: [...spec.args],
    execArgv: [...spec.execArgv],
    serialization: 'advanced',
    // Stdout goes straight to ours, at no cost. Stderr passes through us, so that a dead worker's last words are known.
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  } as Parameters<typeof cluster.setupPrimary>[0])
  return cluster.fork(spec.env)
}

/** Calls back when the process has exited and its last lines have been read. */
function onceGone(worker: Worker, gone: (code: number | null, signal: string | null) => void): void {
  const { stderr } = worker.process
  worker.process.once('exit', (code, signal) => {
    if (!stderr || stderr.closed) return gone(code, signal)
    const timer = setTimeout(closed, LAST_LINES_WAIT_MS)
    stderr.once('close', closed)
    function closed(): void {
      clearTimeout(timer)
      stderr?.off('close', closed)
      gone(code, signal)
    }
  })
}

const saysGarbage = (workerId: number, error: unknown): string =>
  `Worker ${workerId} sent something that is no message (${String(error).split('\n')[0]}).`

const missesBroadcasts = (workerId: number): string =>
  `Worker ${workerId} does not read: ${MOST_WAITING_BYTES / 2 ** 20} MB of Socket.IO's broadcasts wait for it, and its clients miss what comes on top.`

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
