import type { Options } from './config/options.ts'
import { resolveOptions } from './config/resolve.ts'
import type { Settings } from './config/settings.ts'
import { withoutEffect } from './config/without-effect.ts'
import { createPrimary } from './create-primary.ts'
import { StationmasterError } from './errors.ts'
import type { Note, TimedNote } from './fleet/note.ts'
import type { Status } from './fleet/status.ts'
import { requireEntry } from './operator/entry-file.ts'
import { openOperatorServers } from './operator/open-servers.ts'
import { hasColours } from './operator/terminal.ts'
import type { Decision } from './policy/decision.ts'
import { readCapacity } from './primary/host.ts'
import type { Logger } from './primary/ports.ts'
import type { End, Primary } from './primary/primary.ts'
import { isForked } from './primary/processes.ts'
import { wrapperWarning } from './primary/wrapper.ts'
import { listenForSignals } from './primary/signals.ts'
import { logNotes } from './telemetry/log-notes.ts'
import { createLogger, type StreamLogger } from './telemetry/logger.ts'
import { createMetrics } from './telemetry/metrics.ts'

const NESTED =
  'createSupervisor() was called in a worker. `entry` must be the program that serves, not the one that supervises it; and a worker cannot supervise others.'

type Listener<Kind extends Note['kind']> = (note: Extract<TimedNote, { kind: Kind }>) => void

/** What a reader that stopped reading our log may still take at the end. */
const LAST_LINES_MS = 500

/**
 * A fleet of workers and what can be asked of it.
 *
 * @example
 * const supervisor = await createSupervisor({ entry: './dist/server.js', workers: { max: 4 } })
 * supervisor.on('fleet:scaled', ({ from, to, reason }) => console.log(`${from} → ${to}: ${reason}`))
 * await supervisor.start()
 */
export interface Supervisor {
  /**
   * Starts the fleet; resolves when `workers.min` workers are ready. A second call waits for the same start.
   * @throws StationmasterError `SM_START_FAILED` if the app cannot be started, `SM_STOPPING` if the supervisor was stopped before, `SM_CONTROL_BUSY` if another supervisor has the control
   * socket, `SM_ENTRY_MISSING` if the entry is no file, `SM_PORT_IN_USE` if the admin server's port is taken
   */
  start(): Promise<void>
  /**
   * Sets the number of workers by hand (1 … `workers.max`), or gives it back to the policy; resolves when so many are ready.
   * @throws StationmasterError `SM_REQUEST_INVALID`, `SM_NOT_STARTED`, `SM_STOPPING`
   */
  scale(workers: number | 'auto'): Promise<string>
  /**
   * Replaces every worker by a new one, start before stop.
   * @throws StationmasterError `SM_RELOAD_FAILED` (the old workers stay), `SM_RELOAD_BUSY`, `SM_NOT_STARTED`, `SM_STOPPING`
   */
  reload(): Promise<string>
  /**
   * Drains one worker; another takes its place if the fleet needs it.
   * @throws StationmasterError `SM_WORKER_UNKNOWN`, `SM_NOT_STARTED`, `SM_STOPPING`
   */
  drain(workerId: number): Promise<string>
  /** Changes `database.budget` while the fleet runs. @throws StationmasterError `SM_REQUEST_INVALID`, `SM_NOT_STARTED`, `SM_STOPPING` */
  setBudget(connections: number): Promise<string>
  /** Drains all workers and ends; resolves when none is left. A second call hurries. */
  stop(): Promise<void>
  /** The same object as `stationmaster status --json`. */
  status(): Status
  /** The newest decisions of the scaling policy, oldest first. */
  decisions(last: number): readonly Decision[]
  /** Calls `listener` at every event of this kind; returns the way to end that. A listener that throws is reported and hurts nobody. */
  on<Kind extends Note['kind']>(kind: Kind, listener: Listener<Kind>): () => void
  /** Resolves when the fleet has ended, with the exit code and, if it failed, the cause. */
  readonly ended: Promise<End>
}

/**
 * Prepares a fleet. Nothing is started yet, but every option is checked. Relative paths start at the working folder.
 *
 * @throws StationmasterError `SM_OPTION_INVALID` with a sentence for every bad value, or in a worker
 * @example
 * const supervisor = await createSupervisor({ entry: './dist/server.js' })
 */
export async function createSupervisor(options: Options): Promise<Supervisor> {
  if (isForked()) throw new StationmasterError('SM_OPTION_INVALID', 'option', NESTED)
  const capacity = await readCapacity()
  const context = { baseFolder: process.cwd(), environment: process.env, capacity, isTerminal: process.stdout.isTTY ?? false }
  const settings = resolveOptions(options, context)
  const logger = openLogger(settings)
  return supervise(await createPrimary(settings, logger), settings, logger)
}

/**
 * Runs a fleet until it has ended; resolves with the exit code for this process. What `stationmaster start` does.
 * From the call of `tookOver` on, errors that nobody caught are the fleet's to tell.
 *
 * @internal
 */
export async function runSupervisor(settings: Settings, tookOver: () => void): Promise<0 | 1> {
  const logger = openLogger(settings)
  const wrapped = process.stdout.isTTY ? null : wrapperWarning()
  if (wrapped !== null) logger.warn(wrapped)
  const primary = await createPrimary(settings, logger)
  // A bug of ours: what still serves is drained, and whoever runs us starts us anew.
  process.on('uncaughtException', ({ name, message, stack }) =>
    primary.fail(
      `Something in the supervisor failed that nobody caught (${name}: ${message}). If that is not from your config file, please report it.\n${stack}`,
    ),
  )
  tookOver()
  const supervisor = supervise(primary, settings, logger)
  await supervisor.start().catch((error: unknown) => {
    // What kept the fleet from starting is told by its last note.
    if (!(error instanceof StationmasterError && error.code === 'SM_START_FAILED')) throw error
  })
  const { code } = await supervisor.ended
  await logger.flush(LAST_LINES_MS)
  return code
}

function openLogger(settings: Settings): StreamLogger {
  return createLogger({
    format: settings.log,
    stream: process.stdout,
    colors: hasColours(process.stdout, process.env),
    environment: { ...process.env, ...settings.app.env },
  })
}

function supervise(primary: Primary, settings: Settings, logger: Logger): Supervisor {
  logNotes((listener) => primary.subscribe(listener), logger)
  for (const sentence of withoutEffect(settings)) logger.warn(sentence)
  let started: Promise<void> | null = null
  const closers: Closer[] = []
  const ended = primary.ended.then(async (end) => {
    await Promise.all(closers.map(async (close) => await close()))
    if (end.code !== 0) process.exitCode = end.code
    return end
  })
  return {
    async start() {
      const { state } = primary.status()
      if (state === 'draining' || state === 'stopped')
        throw new StationmasterError('SM_STOPPING', 'option', 'The supervisor was stopped; create a new one.')
      started ??= start(primary, settings, logger, closers).catch((error: unknown) => {
        started = null // what stood in the way, such as a socket that was taken, may be gone when it is tried again
        throw error
      })
      await started
    },
    scale: (workers) => primary.scale(workers),
    reload: () => primary.reload(),
    drain: (workerId) => primary.drain(workerId),
    setBudget: (connections) => primary.setBudget(connections),
    async stop() {
      primary.stop('stop() was called')
      // What start() is about to open, it closes again.
      await started?.catch(() => {})
      await ended
    },
    status: () => primary.status(),
    decisions: (last) => primary.decisions(last),
    on: (kind, listener) => primary.subscribe((note) => note.kind === kind && listener(note as never)),
    ended,
  }
}

/** Takes away again what `start()` has opened. */
type Closer = () => void | Promise<void>

async function start(primary: Primary, settings: Settings, logger: Logger, closers: Closer[]): Promise<void> {
  // First of all: as process 1 of a container, the kernel would ignore what nobody listens for.
  const stopListening = listenForSignals({
    stop: (reason) => primary.stop(reason),
    reload: () => report(primary.reload(), logger),
    scaleBy: (difference) => report(primary.scale(primary.status().fleet.target + difference), logger),
  })
  try {
    await requireEntry(settings.app.entry)
    const metrics = createMetrics(primary, settings.cost)
    closers.push(metrics.close)
    const admin = settings.admin && { ...settings.admin, metrics, settings: settings.fleet }
    const servers = await openOperatorServers({ socket: settings.control.socket, admin, control: primary, log: logger })
    closers.push(() => servers.close())
    if (primary.status().state === 'stopped') {
      await servers.close()
      throw notStarted(null)
    }
  } catch (error) {
    stopListening()
    throw error
  }
  closers.push(stopListening)
  const running = new Promise<null>((resolve) => {
    closers.push(primary.subscribe(({ kind }) => kind === 'fleet:running' && resolve(null)))
  })
  primary.start()
  const end = await Promise.race([running, primary.ended])
  if (end) throw notStarted(end.message)
}

function notStarted(message: string | null): StationmasterError {
  return new StationmasterError('SM_START_FAILED', 'application', message ?? 'The fleet was stopped before it was ready.')
}

/** What a signal asked for and could not be done: the notes tell of reloads, the rest is told here. */
function report(request: Promise<string>, logger: Logger): void {
  request.catch((error: unknown) => {
    if (!(error instanceof StationmasterError && error.code === 'SM_RELOAD_FAILED'))
      logger.warn(error instanceof Error ? error.message : String(error))
  })
}
