import type { WorkerMessage } from '../wire/messages.ts'
import { parseWorkerMessage } from '../wire/parse.ts'
import { type Acceptor, type BoundHandle, explain } from './acceptor.ts'
import type { NewEvent } from './engine.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import type { Processes } from './processes.ts'
import type { Inbox } from './reports.ts'
import { serveSocketIO } from './socket-io.ts'
import type { TransferHandle, Transfers } from './transfers.ts'

export interface InboundParts {
  readonly readyWhen: 'listening' | 'ready'
  /** The app's entry point: packages of the app are found from there. */
  readonly entry: string
  readonly acceptor: Acceptor
  readonly inbox: Inbox
  /** Null where Node hands out connections. */
  readonly gatekeeper: Gatekeeper | null
  readonly transfers: Transfers
  dispatch(event: NewEvent): void
  answerListen(
    workerId: number,
    answer: { kind: 'socket'; requestId: number; error: Awaited<ReturnType<Acceptor['open']>>['error'] },
    handle: BoundHandle | null,
  ): void
  readonly processes: Pick<Processes, 'pid' | 'sendToOthers'>
  warn(sentence: string): void
}

/** What workers say, turned into events. */
export interface Inbound {
  /** Takes anything that came over a worker's IPC channel. Never throws. */
  receive(workerId: number, raw: unknown, handle: unknown): void
  /** Why this worker could not listen, in a sentence; null if it could. */
  listenFault(workerId: number): Promise<string | null>
  forget(workerId: number): void
}

export function createInbound(parts: InboundParts): Inbound {
  /** False once it has exited and its last words were read. */
  const isThere = (workerId: number): boolean => parts.processes.pid(workerId) !== null
  const listenFaults = new Map<number, Promise<string>>()
  const misunderstood = new Set<number>()

  function take(workerId: number, message: WorkerMessage, handle: unknown): void {
    switch (message.kind) {
      case 'listen':
        return void openSocket(workerId, message)
      case 'listenFailed':
        return void listenFaults.set(workerId, explain(message.code, { ...message, fd: null }))
      case 'listening':
      case 'ready':
        if (message.kind === parts.readyWhen) parts.dispatch({ kind: 'readied', workerId })
        return
      case 'report':
        return parts.inbox.put(workerId, message.report)
      case 'connections':
        return parts.gatekeeper?.heard(workerId, message)
      case 'attached':
        return serveSocketIO(parts.entry, parts.warn)
      case 'handOver':
        return parts.transfers.begin(workerId, message, handle as TransferHandle | undefined)
      case 'adopted':
        return parts.transfers.settle(workerId, message.transferId, message.taken)
      case 'leaseUse':
        return parts.dispatch({ ...message, kind: 'leaseUsed', workerId })
      case 'databaseState':
        return parts.processes.sendToOthers(workerId, message)
      case 'hello':
        return parts.dispatch({ kind: 'hello', workerId })
      case 'probed':
      case 'drained':
        return parts.dispatch({ ...message, workerId })
    }
  }

  async function openSocket(workerId: number, request: Extract<WorkerMessage, { kind: 'listen' }>): Promise<void> {
    const { handle, error } = await parts.acceptor.open(request)
    // The fleet stops and this worker goes with it; to its app an error would be a crash.
    if (error?.code === 'ECANCELED') return
    if (error && isThere(workerId)) listenFaults.set(workerId, Promise.resolve(error.message))
    if (request.isDealt && handle) parts.gatekeeper?.deal?.(handle)
    parts.answerListen(workerId, { kind: 'socket', requestId: request.requestId, error }, handle)
  }

  return {
    receive(workerId, raw, handle) {
      // What was still in the channel of a worker that is gone would be remembered for ever; a client's socket wants an answer all the same.
      if (handle === undefined && !isThere(workerId)) return
      const parsed = parseWorkerMessage(raw)
      if (parsed.kind === 'message') return take(workerId, parsed.message, handle)
      if (parsed.kind === 'foreign' || misunderstood.has(workerId)) return
      misunderstood.add(workerId)
      parts.warn(`A message of worker ${workerId} was not understood (${parsed.why}). Do all parts of stationmaster have one version?`)
    },
    listenFault: async (workerId) => (await listenFaults.get(workerId)) ?? null,
    forget(workerId) {
      listenFaults.delete(workerId)
      misunderstood.delete(workerId)
      parts.inbox.forget(workerId)
      parts.transfers.forget(workerId)
    },
  }
}
