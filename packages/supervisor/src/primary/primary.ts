import { StationmasterError } from '../errors.ts'
import type { Command } from '../fleet/command.ts'
import { type Fleet, initialFleet } from '../fleet/fleet.ts'
import type { Note, TimedNote } from '../fleet/note.ts'
import { wordOf } from '../fleet/loan.ts'
import { viewOf } from '../fleet/view.ts'
import { type Acceptor, createAcceptor } from './acceptor.ts'
import { openReplicaPort, publicAddresses } from './replica-port.ts'
import { createAnnouncer } from './announcer.ts'
import { createRunningClock } from './clock.ts'
import { createDesk } from './desk.ts'
import { diagnose, patientOf } from './diagnose.ts'
import { createEngine, type Engine, type NewEvent } from './engine.ts'
import { createExitCauses, type ExitCauses } from './exit-cause.ts'
import { createInbound, type Inbound } from './inbound.ts'
import { chooseGatekeeper } from './choose-gatekeeper.ts'
import { forkSpecOf } from './launch.ts'
import { type Neighbourhood, openNeighbourhood } from './neighbourhood.ts'
import { watchOwnProcess } from './own-process.ts'
import type { Control, PrimaryParts } from './ports.ts'
import { createProcesses, type Processes, type ProcessExit } from './processes.ts'
import { createRecorder, type Recorder } from './recorder.ts'
import { createInbox } from './reports.ts'
import { startSampling } from './sampling.ts'
import { createTransfers } from './transfers.ts'

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
  readonly #acceptor: Acceptor = createAcceptor(undefined, (sentence) => this.#warn(sentence))
  readonly #clock: ReturnType<typeof createRunningClock>
  readonly #desk = createDesk()
  readonly #inbox = createInbox()
  readonly #announcer = createAnnouncer()
  readonly #gatekeeper: ReturnType<typeof chooseGatekeeper>
  readonly #inbound: Inbound
  readonly #exitCauses: ExitCauses
  readonly #end = Promise.withResolvers<End>()
  #neighbourhood: Neighbourhood | null = null
  #sampling: { stop(): void } | null = null
  #stopWatching = (): void => {}
  /** Something failed inside: the fleet is on its way to its end. */
  #broken = false

  constructor(parts: PrimaryParts) {
    this.#parts = parts
    this.#clock = createRunningClock(parts.launch.fleet.tickMs)
    this.ended = this.#end.promise
    const initial = initialFleet(parts.launch.fleet, Math.random())
    this.#recorder = createRecorder((): Fleet => (this.#engine ? this.#engine.fleet() : initial), parts.journal)
    this.#engine = createEngine(initial, {
      nowMs: () => this.#clock.nowMs(),
      execute: (command) => this.#execute(command),
      tell: (note, atMs) => this.#tell(note, atMs),
      record: (event) => this.#recorder.record(event),
      failed: (error) => this.#failedInside(error),
    })
    this.#processes = createProcesses({
      onForked: (workerId, pid) => this.#engine.dispatch({ kind: 'forked', workerId, pid }),
      onForkFailed: (workerId, message) => this.#engine.dispatch({ kind: 'forkFailed', workerId, message }),
      onMessage: (workerId, message, handle) => this.#inbound.receive(workerId, message, handle),
      onStderr: (chunk) => parts.onStderr(chunk),
      warn: (sentence) => this.#warn(sentence),
      onExit: (workerId, exit) => void this.#exited(workerId, exit),
    })
    this.#exitCauses = createExitCauses(parts.oomKills)
    this.#gatekeeper = chooseGatekeeper(parts.launch, this.#processes)
    this.#inbound = createInbound({
      readyWhen: parts.launch.fleet.workers.readyWhen,
      entry: parts.launch.app.entry,
      acceptor: this.#acceptor,
      inbox: this.#inbox,
      gatekeeper: this.#gatekeeper,
      transfers: createTransfers((workerId, message, handle, done) => this.#processes.send(workerId, message, handle, done)),
      dispatch: (event) => this.#engine.dispatch(event),
      answerListen: (workerId, answer, handle) => void this.#processes.send(workerId, answer, handle ?? undefined),
      processes: this.#processes,
      warn: (sentence) => this.#warn(sentence),
    })
  }

  /** Does nothing if the fleet was stopped before. */
  start(): void {
    if (this.#engine.fleet().phase === 'stopped') return
    if (this.#parts.isSticky) this.#neighbourhood = openNeighbourhood((sentence) => this.#warn(sentence))
    this.#stopWatching = watchOwnProcess(this.#parts.launch.fleet.tickMs, (sentence) => this.#warn(sentence))
    this.#sampling = startSampling({
      ...this.#parts,
      tickMs: this.#parts.launch.fleet.tickMs,
      fleet: () => this.#engine.fleet(),
      inbox: this.#inbox,
      dispatch: (event) => this.#engine.dispatch(event),
      warn: (sentence) => this.#warn(sentence),
    })
    void openReplicaPort(this.#parts.launch, this.#acceptor).then((fault) => fault !== null && this.fail(fault))
    this.#engine.dispatch({ kind: 'started' })
    this.#parts.coordination?.start({ word: () => wordOf(this.#engine.fleet()), heard: (event) => this.#engine.dispatch(event) })
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
    const view = viewOf(this.#engine.fleet(), this.#clock.nowMs())
    return { version: 1, pid: process.pid, ...view, replica: { id: this.#parts.launch.replicaId, ...view.replica } }
  }

  decisions(last: number): ReturnType<Control['decisions']> {
    return last > 0 ? this.#engine.fleet().decisions.slice(-last) : []
  }

  standing(): ReturnType<Control['standing']> {
    return this.#engine.fleet().standing
  }

  scale(workers: number | 'auto'): Promise<string> {
    return this.#ask((requestId) => ({ kind: 'scaleRequested', requestId, workers }))
  }

  reload(): Promise<string> {
    return this.#ask((requestId) => ({ kind: 'reloadRequested', requestId }))
  }

  drain(workerId: number): Promise<string> {
    return this.#ask((requestId) => ({ kind: 'drainRequested', requestId, workerId }))
  }

  setBudget(budget: number): Promise<string> {
    return this.#ask((requestId) => ({ kind: 'budgetRequested', requestId, budget }))
  }

  subscribe(listener: (note: TimedNote) => void): () => void {
    return this.#announcer.subscribe(listener)
  }

  recording(): Iterable<string> {
    return this.#recorder.lines()
  }

  async #ask(request: (requestId: number) => NewEvent): Promise<string> {
    if (this.#sampling === null && this.#engine.fleet().phase === 'starting')
      throw new StationmasterError('SM_NOT_STARTED', 'option', 'The supervisor was not started yet; call start() first.')
    return await this.#desk.ask((requestId) => this.#engine.dispatch(request(requestId)))
  }

  #execute(command: Command): void {
    switch (command.kind) {
      case 'fork':
        return this.#processes.fork(forkSpecOf(command, { ...this.#parts.launch, neighbours: this.#neighbourhood }))
      case 'promote':
      case 'drain':
      case 'shed':
      case 'lease':
      case 'probe': {
        const { workerId, ...message } = command
        return void this.#processes.send(workerId, message)
      }
      case 'publish':
        return this.#publish(command)
      case 'askBackends':
        return this.#parts.backends?.ask(command.workerIds, this.#clock, (seen) => this.#engine.dispatch(seen))
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

  #publish({ workerId, routes, leaving, peers }: Extract<Command, { kind: 'publish' }>): void {
    if (workerId === null) this.#gatekeeper?.admit(routes.map((route) => route.workerId))
    const ids = workerId === null ? this.#engine.fleet().workers.map(({ id }) => id) : [workerId]
    for (const id of ids) this.#processes.send(id, { kind: 'routes', routes, leaving, peers })
  }

  async #diagnose(workerId: number): Promise<void> {
    const patient = patientOf(workerId, this.#processes)
    if (!patient) return
    this.#engine.dispatch({ kind: 'diagnosed', workerId, reportPath: await diagnose(patient, this.#parts.reportFolder) })
  }

  async #exited(workerId: number, exit: ProcessExit): Promise<void> {
    const fault = await this.#inbound.listenFault(workerId)
    const cause = fault ?? (await this.#exitCauses.causeOf(exit))
    this.#parts.measurer.forget(exit.pid)
    this.#inbound.forget(workerId)
    this.#neighbourhood?.forget(workerId)
    // While nobody serves yet, a socket that was waited for is not a matter of trying again.
    if (fault !== null && this.#gatekeeper !== null && this.#engine.fleet().phase === 'starting') this.fail(fault)
    const lastStderrLines = exit.lastStderrLines.map((line) => this.#parts.mask(line))
    this.#engine.dispatch({ kind: 'exited', workerId, code: exit.code, signal: exit.signal, cause, lastStderrLines })
  }

  #finish(end: End): void {
    this.#sampling?.stop()
    this.#stopWatching()
    this.#processes.abandon()
    this.#acceptor.close()
    this.#neighbourhood?.close()
    this.#gatekeeper?.close()
    this.#parts.measurer.close()
    this.#parts.backends?.close()
    this.#engine.close()
    void Promise.resolve(this.#parts.coordination?.close()).finally(() => this.#end.resolve(end))
  }

  /** A bug of ours. What serves is drained, and whoever runs us starts us anew; if even that fails, it ends here. */
  #failedInside(error: unknown): void {
    const message = `stationmaster failed inside; please report this. ${error instanceof Error ? error.stack : String(error)}`
    if (this.#broken) {
      for (const { id } of this.#engine.fleet().workers) this.#processes.kill(id, 'SIGKILL')
      return this.#finish({ code: 1, message })
    }
    this.#broken = true
    this.#sampling?.stop()
    this.fail(message)
  }

  #warn(message: string): void {
    this.#tell({ kind: 'fleet:warning', message }, this.#clock.nowMs())
  }

  #tell(note: Note, atMs: number): void {
    // From here on newcomers are better off with a refusal than with a wait that ends in a cut.
    if (note.kind === 'fleet:stopping') this.#acceptor.close()
    this.#announcer.tell({ ...note, atMs })
    const addresses = note.kind === 'fleet:running' ? publicAddresses(this.#acceptor, this.#parts.launch.replica) : []
    if (addresses.length > 0) this.#announcer.tell({ kind: 'fleet:listening', addresses, atMs })
  }
}
