/** What an app may say to its supervisor. All of it also works without one: `node server.js` runs the same code. */
/** @ts-ignore: `pg` is for apps that have it; in others `createPool` takes and returns anything, and fails when it is called. */
import type { Pool, PoolConfig } from 'pg'
import { AppSignals } from './worker/app-signals.ts'
import type { SignalSource } from './worker/app-signals.ts'
import type { DrainHook } from './worker/clean-up.ts'
import type { SocketIOServer } from './worker/engine-sockets.ts'
import type { Lease } from './worker/lease.ts'
import { leaseOf, noLease } from './worker/lease.ts'
import { loadOptional } from './worker/optional-package.ts'
import { endInOrder } from './worker/pool-end.ts'
import { openPool } from './worker/pool.ts'
import { findFacade } from './worker/shared-state.ts'
import { connectWorkers } from './worker/socket-io.ts'
import { endOnOwnShutdown, onOwnShutdown } from './worker/unsupervised.ts'

export type { SignalSource } from './worker/app-signals.ts'
export type { DrainHook } from './worker/clean-up.ts'
export type { SocketIOServer } from './worker/engine-sockets.ts'
export type { Lease, LeaseValue } from './worker/lease.ts'

const facade = findFacade()
/** Nobody asks for them without a supervisor, but what is wrong is as wrong in development. */
const unread = new AppSignals()

/**
 * True in a worker that stationmaster runs, false under plain `node`.
 *
 * @example
 * if (!supervised) console.log('development: one process, no supervisor')
 */
export const supervised: boolean = facade !== null

/**
 * Says that this worker can take traffic. Needed with `workers.readyWhen: 'ready'` only, where connections are accepted from this call
 * on; `process.send('ready')` says the same. Further calls, and calls without a supervisor, do nothing.
 *
 * @example
 * await cache.warm()
 * ready()
 */
export function ready(): void {
  facade?.ready()
}

/**
 * Calls `hook` when this worker is to end: after the last response, before the app's SIGTERM listeners, the pools and the exit. Hooks run in
 * order of registration; each may take a fair part of what is left of `drain.timeout`, and one that throws or rejects is
 * reported on stderr and does not stop the others. Without a supervisor hooks run on SIGINT and SIGTERM, for 5 s at most.
 *
 * @example
 * onDrain(async () => { await queue.close() })
 */
export function onDrain(hook: DrainHook): void {
  if (facade) facade.addDrainHook(hook)
  else onOwnShutdown(hook)
}

/**
 * A pool of the package `pg`, which is loaded at the first call; `config` is pg's own. A lost idle connection is reported on stderr instead of
 * ending the process, the pool is ended when the worker drains, and connections are named after the worker.
 *
 * With `database.budget` the pool is as large as the worker's lease, and follows it while it runs; `max` is then an upper bound, else it defaults to pg's
 * 10 connections. Nothing in use is ever cut; who waits for a connection fails after `connectionTimeoutMillis`, 30 s unless it is given; with an
 * empty lease after 10 s at the latest, with `SM_LEASE_EMPTY`. At a drain those who wait are served first. While the server is away, calls fail with the last error, and one at a time tries to connect.
 *
 * @throws StationmasterError `SM_PACKAGE_MISSING` if `pg` is not installed, `SM_OPTION_INVALID` if `max` is not a whole number of at least 1
 * @example
 * const pool = createPool({ connectionString: process.env.DATABASE_URL, max: 10 })
 * await pool.query('select 1')
 */
export function createPool(config: PoolConfig = {}): Pool {
  const pool = openPool(config, facade?.leaseTerms ?? null)
  const endable = endInOrder(pool)
  if (facade) facade.addPool(endable)
  else endOnOwnShutdown(endable)
  return pool
}

/**
 * Makes a Socket.IO server one of many. Broadcasts, `fetchSockets` and `serverSideEmit` reach every worker through `@socket.io/cluster-adapter`, or
 * every worker of every replica through `@socket.io/redis-streams-adapter` and `ioredis` if `redis.url` is set; sessions find their worker with any
 * transport (unless `routing.sticky` is false); at a drain clients are disconnected a few at a time, in the way that makes them connect again by themselves. Without a supervisor it does nothing.
 *
 * @throws StationmasterError `SM_PACKAGE_MISSING` if `@socket.io/cluster-adapter` is needed and not installed
 * @example
 * const io = new Server(httpServer)
 * attachSocketIO(io)
 */
export function attachSocketIO(io: SocketIOServer): void {
  if (!facade) return
  connectWorkers(io, facade)
  facade.attachSocketIO(io, loadOptional)
}

/**
 * Reports a signal of the app's own, such as the length of a job queue, to be scaled by: `scaling.up.jobs` and `scaling.down.jobs`. Each worker
 * reports its own value, the fleet is scaled by their mean. A number counts until the next call; a function is asked before every report. `null`,
 * or a number that is not finite, means "not known now". Without a supervisor the call is only checked.
 *
 * @throws StationmasterError `SM_OPTION_INVALID` for a name that is none, or that of a signal which is measured anyway, and for a 33rd name
 * @example
 * reportSignal('jobs', () => jobs.length)   // with scaling: { up: { jobs: { above: 50, for: '30s' } } }
 */
export function reportSignal(name: string, value: SignalSource): void {
  if (facade) facade.reportSignal(name, value)
  else unread.set(name, value)
}

/**
 * How many database connections this worker may open; `lease.value` is null where nobody limits them. A pool of another make connects under
 * `connectionName`, and says by `acknowledge` what it opens at most.
 *
 * @example
 * lease.onChange((value) => console.log(value?.granted))
 */
export const lease: Lease = facade?.leaseTerms ? leaseOf(facade.leaseTerms.ledger, facade.leaseTerms.connectionName) : noLease
