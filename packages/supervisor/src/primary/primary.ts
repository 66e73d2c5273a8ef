import path from 'node:path'
import type { Command } from '../fleet/command.ts'
import { type Fleet, initialFleet } from '../fleet/fleet.ts'
import type { Note, TimedNote } from '../fleet/note.ts'
import type { Recording } from '../fleet/replay.ts'
import { viewOf } from '../fleet/view.ts'
import type { Usage } from '../policy/sample.ts'
import type { WorkerMessage } from '../wire/messages.ts'
import { parseWorkerMessage } from '../wire/parse.ts'
import { type Acceptor, createAcceptor } from './acceptor.ts'
import { createRunningClock } from './clock.ts'
import { createDesk } from './desk.ts'
import { diagnose } from './diagnose.ts'
import { createEngine, type Engine } from './engine.ts'
import { exitCause } from './exit-cause.ts'
import { forkSpecOf, type LaunchContext } from './launch.ts'
import type { Control } from './ports.ts'
import { createProcesses, type Processes, type ProcessExit } from './processes.ts'
import { createRecorder, type Recorder } from './recorder.ts'
import { createInbox } from './reports.ts'
import { type Measurements, startSampling } from './sampling.ts'
import { serveSocketIO } from './socket-io.ts'

export interface PrimaryParts {
  readonly launch: LaunchContext
  /** Where diagnostic reports go; made when the first is written. */
  readonly reportFolder: string
  readonly measurer: {
    measure(workers: readonly { readonly workerId: number; readonly pid: number }[]): Promise<ReadonlyMap<number, Measurements>>
    forget(pid: number): void
    close(): void
  }
  usage(): Promise<Usage>
  /** The container's count of processes killed for memory; null where there is none. */
  oomKills(): Promise<number | null>
  /** What workers write to stderr. */
  onStderr(chunk: Buffer): void
}

export interface End {
  readonly code: 0 | 1
  readonly message: string | null
}

/** The operating-system side of a fleet: turns what happens into events, and commands into what happens. */
export class Primary implements Control {
  /** Resolves when every worker is gone and nothing is left open. */
  readonly ended: Promise<End>
  readonly #parts: PrimaryParts
  readonly #engine: Engine
  readonly #recorder: Recorder
  readonly #processes: Processes
  readonly #acceptor: Acceptor = createAcceptor()
  readonly #clock = createRunningClock()
  readonly #desk = createDesk()
  readonly #inbox = createInbox()
  readonly #listeners = new Set<(note: TimedNote) => void>()
  /** Why a worker could not listen, in a sentence. */
  readonly #listenFaults = new Map<number, string>()
  readonly #misunderstood = new Set<number>()
  readonly #end = Promise.withResolvers<End>()
  #oomKills: number | null = null
  #sampling: { stop(): void } | null = null

  constructor(parts: PrimaryParts) {
    this.#parts = parts
    this.ended = this.#end.promise
    const initial = initialFleet(parts.launch.fleet)
    this.#recorder = createRecorder((): Fleet => (this.#engine ? this.#engine.fleet() : initial))
    this.#engine = createEngine(initial, {
      nowMs: () => this.#clock.nowMs(),
      execute: (command) => this.#execute(command),
      tell: (note, atMs) => this.#tell(note, atMs),
      record: (event) => this.#recorder.record(event),
    })
    this.#processes = createProcesses({
      onForked: (workerId, pid) => this.#engine.dispatch({ kind: 'forked', workerId, pid }),
      onForkFailed: (workerId, message) => this.#engine.dispatch({ kind: 'forkFailed', workerId, message }),
      onMessage: (workerId, message) => this.#receive(workerId, message),
      onStderr: (chunk) => parts.onStderr(chunk),
      onExit: (workerId, exit) => void this.#exited(workerId, exit),
    })
  }

  start(): void {
    const { launch, measurer, usage } = this.#parts
    this.#sampling = startSampling({
      tickMs: launch.fleet.tickMs,
      workers: () => this.#engine.fleet().workers.flatMap(({ id, pid }) => (pid === null ? [] : [{ workerId: id, pid }])),
      measure: (workers) => measurer.measure(workers),
      usage,
      inbox: this.#inbox,
      dispatch: (event) => this.#engine.dispatch(event),
      onError: (error) => this.#warn(`A sample could not be taken: ${String(error)}`),
    })
    void this.#parts.oomKills().then((count) => {
      this.#oomKills = count
    })
    this.#engine.dispatch({ kind: 'started' })
  }

  /** A second call hurries, a third one ends it now. */
  stop(reason: string): void {
    this.#engine.dispatch({ kind: 'stopRequested', reason })
  }

  /** Something that makes it senseless to go on: drains, and ends with code 1 and this message. */
  fail(message: string): void {
    this.#engine.dispatch({ kind: 'fatal', message })
  }

  status(): ReturnType<Control['status']> {
    const fleet = this.#engine.fleet()
    const { replicaId } = this.#parts.launch
    const view = viewOf(fleet, this.#clock.nowMs())
    return { version: 1, pid: process.pid, ...view, database: null, replica: { id: replicaId, peers: 1, coordination: 'alone' } }
  }

  decisions(last: number): ReturnType<Control['decisions']> {
    return last > 0 ? this.#engine.fleet().decisions.slice(-last) : []
  }

  standing(): ReturnType<Control['standing']> {
    return this.#engine.fleet().standing
  }

  scale(workers: number | 'auto'): Promise<string> {
    return this.#desk.ask((requestId) => this.#engine.dispatch({ kind: 'scaleRequested', requestId, workers }))
  }

  scaleBy(difference: 1 | -1): Promise<string> {
    return this.scale(this.#engine.fleet().target + difference)
  }

  reload(): Promise<string> {
    return this.#desk.ask((requestId) => this.#engine.dispatch({ kind: 'reloadRequested', requestId }))
  }

  drain(workerId: number): Promise<string> {
    return this.#desk.ask((requestId) => this.#engine.dispatch({ kind: 'drainRequested', requestId, workerId }))
  }

  subscribe(listener: (note: TimedNote) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What `replay` needs to give the decisions of the last minutes again. */
  recording(): Recording {
    return this.#recorder.recording()
  }

  /** What the fleet listens on, for people. */
  addresses(): string[] {
    return this.#acceptor.addresses()
  }

  #execute(command: Command): void {
    switch (command.kind) {
      case 'fork':
        return this.#processes.fork(forkSpecOf(command, this.#parts.launch))
      case 'promote':
      case 'drain':
      case 'shed':
      case 'probe': {
        const { workerId, ...message } = command
        return this.#processes.send(workerId, message)
      }
      case 'kill':
        return this.#processes.kill(command.workerId, 'SIGKILL')
      case 'diagnose':
        return void this.#diagnose(command.workerId)
      case 'answer':
        return this.#desk.answer(command.requestId, command.error, command.detail)
      case 'exit':
        return this.#finish({ code: command.code, message: command.message })
    }
  }

  #receive(workerId: number, raw: unknown): void {
    const parsed = parseWorkerMessage(raw)
    if (parsed.kind === 'message') return this.#take(workerId, parsed.message)
    if (parsed.kind === 'foreign' || this.#misunderstood.has(workerId)) return
    this.#misunderstood.add(workerId)
    this.#warn(`A message of worker ${workerId} was not understood (${parsed.why}). Do all parts of stationmaster have one version?`)
  }

  #take(workerId: number, message: WorkerMessage): void {
    const { readyWhen } = this.#parts.launch.fleet.workers
    switch (message.kind) {
      case 'listen':
        return void this.#openSocket(workerId, message)
      case 'listening':
      case 'ready':
        if (message.kind === (readyWhen === 'ready' ? 'ready' : 'listening')) this.#engine.dispatch({ kind: 'readied', workerId })
        return
      case 'report':
        return this.#inbox.put(workerId, message.report)
      case 'attached':
        return serveSocketIO(this.#parts.launch.app.entry, (sentence) => this.#warn(sentence))
      case 'hello':
        return this.#engine.dispatch({ kind: 'hello', workerId })
      case 'probed':
      case 'drained':
        return this.#engine.dispatch({ ...message, workerId })
    }
  }

  async #openSocket(workerId: number, request: Extract<WorkerMessage, { kind: 'listen' }>): Promise<void> {
    const { handle, error } = await this.#acceptor.open(request)
    if (error) this.#listenFaults.set(workerId, error.message)
    this.#processes.send(workerId, { kind: 'socket', requestId: request.requestId, error }, handle ?? undefined)
  }

  async #diagnose(workerId: number): Promise<void> {
    const pid = this.#processes.pid(workerId)
    if (pid === null) return
    const patient = {
      workerId,
      pid,
      openInspector: () => this.#processes.kill(workerId, 'SIGUSR1'),
      onStderr: (listener: (text: string) => void) => this.#processes.onStderr(workerId, listener),
    }
    const reportPath = await diagnose(patient, path.join(this.#parts.reportFolder))
    this.#engine.dispatch({ kind: 'diagnosed', workerId, reportPath })
  }

  async #exited(workerId: number, exit: ProcessExit): Promise<void> {
    const oomKills = exit.signal === 'SIGKILL' ? await this.#parts.oomKills() : this.#oomKills
    const cause = this.#listenFaults.get(workerId) ?? exitCause(exit.signal, exit.lastStderrLines, (oomKills ?? 0) > (this.#oomKills ?? 0))
    this.#oomKills = oomKills
    this.#parts.measurer.forget(exit.pid)
    this.#inbox.forget(workerId)
    this.#misunderstood.delete(workerId)
    // While nobody serves yet, a socket that cannot be had is not a matter of trying again.
    const fault = this.#listenFaults.get(workerId)
    if (fault !== undefined && this.#engine.fleet().phase === 'starting') this.fail(fault)
    this.#listenFaults.delete(workerId)
    const { code, signal, lastStderrLines } = exit
    this.#engine.dispatch({ kind: 'exited', workerId, code, signal, cause, lastStderrLines })
  }

  #finish(end: End): void {
    this.#sampling?.stop()
    this.#acceptor.close()
    this.#parts.measurer.close()
    this.#engine.close()
    this.#end.resolve(end)
  }

  #warn(message: string): void {
    this.#tell({ kind: 'fleet:warning', message }, this.#clock.nowMs())
  }

  /** A listener that throws hurts only itself. */
  #tell(note: Note, atMs: number): void {
    for (const listener of this.#listeners) {
      try {
        listener({ ...note, atMs })
      } catch (error) {
        queueMicrotask(() => process.emitWarning(`a listener of ${note.kind} failed: ${String(error)}`, 'StationmasterWarning'))
      }
    }
  }
}
