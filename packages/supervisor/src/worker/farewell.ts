import type { Server as HttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Activity, Connection } from './connection.ts'
import { activityOf } from './connection.ts'
import type { DrainPlan } from './drain-plan.ts'
import type { EngineSockets } from './engine-sockets.ts'
import { isListening, streamOf } from './engine-sockets.ts'
import { closeWebSocket, endEventStream, endEventStreamOfSession } from './goodbye.ts'
import { eventStreamsOf } from './http2-sessions.ts'
import { lookForIdle } from './idle.ts'
import type { SocketInside } from './internals.ts'
import { LeavePace } from './leave-pace.ts'
import type { Traffic } from './traffic.ts'

const SWEEP_MS = 20
/** Quiet connections closed per look: what a client sends between the look and the close is lost, so the time between is kept short. */
const CLOSES_PER_LOOK = 32
/** A client that does not answer a close frame within this is gone. */
const CLOSE_REPLY_MS = 2000

/** A client that has something under way at every look is told to leave after this all the same. */
const BUSY_MS = 2000

interface Quiet {
  readonly sinceMs: number
  /** Requests it had brought by then. */
  readonly requests: number
}

export interface Cut {
  connections: number
  requests: number
}

/** Sees all connections of a draining worker off: nobody is interrupted before the plan says so. */
export class Farewell {
  readonly cut: Cut = { connections: 0, requests: 0 }
  readonly #traffic: Traffic
  readonly #engines: EngineSockets
  readonly #plan: () => DrainPlan
  readonly #pace: LeavePace
  readonly #quiet = new Map<Connection, Quiet>()
  readonly #toldAtMs = new Map<Connection, number>()
  readonly #ended = new Set<Connection>()
  /** The connections that the engines say goodbye to themselves. */
  #engineStreams: ReadonlySet<Duplex> = new Set()
  #pollingUntilMs = Number.NEGATIVE_INFINITY

  constructor(traffic: Traffic, engines: EngineSockets, plan: () => DrainPlan) {
    this.#traffic = traffic
    this.#engines = engines
    this.#plan = plan
    this.#pace = new LeavePace(plan)
  }

  /** Resolves when every connection is closed, at the latest at the time the plan gives. */
  async run(): Promise<void> {
    this.#traffic.leave()
    this.#engineStreams = this.#engines.streams()
    this.#pace.expect(this.#countLeavers())
    while (this.#isSomebodyLeft() && performance.now() < this.#plan().connectionsUntilMs) {
      await afterPoll()
      const hasMore = this.#look(performance.now())
      if (!hasMore) await new Promise((resolve) => setTimeout(resolve, SWEEP_MS))
    }
    this.cutAll()
  }

  cutAll(): void {
    this.#engines.endAll()
    for (const connection of this.#traffic.connections) this.#cutOne(connection)
  }

  /** Between two polls a Socket.IO client may have no connection, and what it sends last may cross with our goodbye. */
  #isSomebodyLeft(): boolean {
    const nowMs = performance.now()
    if (this.#engines.isPolled()) this.#pollingUntilMs = nowMs
    const isExpected = nowMs < this.#pollingUntilMs + this.#plan().lastWordMs
    return isExpected || this.#traffic.connections.size > 0 || this.#engines.count() > 0
  }

  /** True if there is more to close than one look allows. */
  #look(nowMs: number): boolean {
    let closes = 0
    const isIdle = lookForIdle()
    this.#tellEngines(nowMs)
    this.#engineStreams = this.#engines.streams()
    for (const connection of this.#traffic.connections) {
      if (connection.stream.destroyed || connection.isMoving) continue
      const activity = activityOf(connection)
      if (activity !== 'quiet') this.#attend(connection, activity, nowMs)
      else if (!this.#ended.has(connection) && this.#isQuietLongEnough(connection, nowMs) && isIdle(connection)) {
        this.#ended.add(connection)
        connection.stream.destroySoon()
        if (++closes >= CLOSES_PER_LOOK) return true
      }
    }
    return false
  }

  #attend(connection: Connection, activity: Activity, nowMs: number): void {
    if (activity === 'streaming') this.#attendEventStream(connection, nowMs)
    else if (activity === 'multiplexed') this.#attendSession(connection, nowMs)
    else if (activity === 'upgraded' && connection.upgrade?.isWebSocket) this.#attendWebSocket(connection, nowMs)
    else if (activity === 'upgraded' || activity === 'raw') this.#attendRaw(connection, nowMs)
  }

  #isQuietLongEnough(connection: Connection, nowMs: number): boolean {
    const { requests } = connection
    const quiet = this.#quiet.get(connection)
    if (quiet?.requests === requests) return nowMs - quiet.sinceMs >= this.#plan().idleGraceMs(keepAliveTimeoutMsOf(connection))
    this.#quiet.set(connection, { sinceMs: nowMs, requests })
    return false
  }

  #attendEventStream(connection: Connection, nowMs: number): void {
    if (!this.#pace.isDue(nowMs)) return
    endEventStream(connection)
    this.#pace.noteTold()
  }

  /** Requests that come too late are refused, unprocessed: clients send these again by themselves, and safely. */
  #attendSession(connection: Connection, nowMs: number): void {
    const { session } = connection
    if (session && !session.closed) session.close()
    for (const stream of eventStreamsOf(connection)) {
      if (!this.#pace.isDue(nowMs)) return
      endEventStreamOfSession(stream)
      this.#pace.noteTold()
    }
  }

  #attendWebSocket(connection: Connection, nowMs: number): void {
    const toldAtMs = this.#toldAtMs.get(connection)
    if (toldAtMs !== undefined) {
      if (nowMs - toldAtMs >= CLOSE_REPLY_MS) this.#cutOne(connection)
    } else if (!this.#engineStreams.has(connection.stream) && this.#pace.isDue(nowMs) && closeWebSocket(connection)) {
      this.#toldAtMs.set(connection, nowMs)
      this.#pace.noteTold()
    }
  }

  #attendRaw(connection: Connection, nowMs: number): void {
    if (nowMs < this.#plan().rawUntilMs || this.#ended.has(connection)) return
    this.#ended.add(connection)
    connection.stream.on('error', () => {}) // what the app still writes must not become its end
    connection.stream.end()
  }

  #tellEngines(nowMs: number): void {
    const { startedAtMs, answersUntilMs, nextPollMs } = this.#plan()
    this.#engines.giveUp(nextPollMs)
    for (const socket of nowMs < answersUntilMs ? this.#engines.atRest() : this.#engines.remaining()) {
      if (!this.#pace.isDue(nowMs)) return
      if (!isListening(socket) && nowMs < startedAtMs + BUSY_MS) continue
      const stream = streamOf(socket)
      const connection = stream && this.#traffic.connectionOf(stream as SocketInside)
      if (connection) this.#toldAtMs.set(connection, nowMs)
      this.#engines.close(socket)
      this.#pace.noteTold()
    }
  }

  #countLeavers(): number {
    let leavers = this.#engines.count()
    for (const connection of this.#traffic.connections) {
      if (this.#engineStreams.has(connection.stream)) continue
      const activity = activityOf(connection)
      leavers += eventStreamsOf(connection).length
      if (activity === 'streaming' || (activity === 'upgraded' && connection.upgrade?.isWebSocket)) leavers++
    }
    return leavers
  }

  #cutOne(connection: Connection): void {
    if (connection.stream.destroyed) return
    const activity = activityOf(connection)
    if (activity !== 'quiet' || !lookForIdle()(connection)) this.cut.connections++
    if (activity === 'answering' || activity === 'polling' || activity === 'multiplexed') this.cut.requests += connection.inFlight
    connection.stream.destroy()
    connection.socket.destroy()
  }
}

function keepAliveTimeoutMsOf({ stream, socket }: Connection): number | undefined {
  return ((stream.server ?? socket.server) as Partial<HttpServer> | undefined)?.keepAliveTimeout
}

/** Right after the event loop has read what had arrived. */
function afterPoll(): Promise<void> {
  return new Promise((resolve) => setTimeout(() => setImmediate(resolve)))
}
