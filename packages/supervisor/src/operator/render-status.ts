import { describeNeed } from '../policy/replicas.ts'
import type { Status, WorkerStatus } from '../fleet/status.ts'
import { describeStep } from './render-decision.ts'
import type { Style, Terminal } from './terminal.ts'
import { harmless } from './terminal.ts'
import { bytes, count, milliseconds, ratio, timeOfDay, uptime } from './units.ts'

type Paint = Terminal['paint']

/** Title of a column and what it shows of a worker. */
const COLUMNS: readonly (readonly [title: string, show: (worker: WorkerStatus) => string])[] = [
  ['worker', ({ id }) => String(id)],
  ['pid', ({ pid }) => (pid === null ? '-' : String(pid))],
  ['slot', ({ slot }) => String(slot)],
  ['gen', ({ generation }) => String(generation)],
  ['state', ({ state }) => state],
  ['up', ({ uptimeS }) => uptime(uptimeS)],
  ['cpu', ({ cpu }) => ratio(cpu)],
  ['memory', ({ memoryBytes, memory }) => (memory === null ? bytes(memoryBytes) : `${bytes(memoryBytes)} (${ratio(memory)})`)],
  ['loop', ({ eventLoopUtilization }) => ratio(eventLoopUtilization)],
  ['delay p99', ({ eventLoopDelayP99Ms }) => milliseconds(eventLoopDelayP99Ms)],
  ['queue', ({ queue }) => count(queue)],
  ['req/s', ({ requestsPerSecond }) => count(requestsPerSecond)],
  ['p95', ({ p95Ms }) => milliseconds(p95Ms)],
  ['conns', ({ connections }) => count(connections)],
  ['sockets', ({ sockets }) => count(sockets)],
]

/** In use, and what it may have; only where somebody limits them. */
const DATABASE_COLUMN: (typeof COLUMNS)[number] = ['db', ({ database }) => (database ? `${database.inUse}/${database.granted}` : '-')]

const STATE_STYLES: Readonly<Record<WorkerStatus['state'], Style>> = {
  booting: 'cyan',
  spare: 'dim',
  ready: 'green',
  draining: 'yellow',
  killing: 'red',
}

/** The fleet at a glance: what it is, one line for each worker, the whole, and the last decision. */
export function renderStatus(status: Status, nowMs: number, paint: Paint): string[] {
  const { fleet, capacity } = status
  const head = [
    paint('bold', status.state),
    `mode ${status.mode}`,
    `generation ${status.generation}`,
    `pid ${status.pid}`,
    `up ${uptime(status.uptimeS)}`,
    `${count(capacity.cpus)} CPUs, ${bytes(capacity.memoryBytes)} (${capacity.source})`,
  ]
  const size = `${fleet.ready} of ${fleet.target} ready (${fleet.min} to ${fleet.max})${fleet.spares > 0 ? `, ${fleet.spares} spare` : ''}`
  const load = `cpu ${ratio(fleet.cpu)}, memory ${ratio(fleet.memory)}, loop ${ratio(fleet.eventLoopUtilization)}, queue ${count(fleet.queue)}, ${count(fleet.requestsPerSecond)} req/s, p95 ${milliseconds(fleet.p95Ms)}${renderWait(fleet.queueTimeP95Ms)}${renderSignals(fleet.signals)}`
  return [head.join('  '), '', ...renderWorkers(status.workers, paint), '', `fleet     ${size}; ${load}`, ...renderExtras(status, nowMs)]
}

/** Where no proxy tells it, there is nothing to say of it. */
const renderWait = (queueTimeP95Ms: number | null): string => (queueTimeP95Ms === null ? '' : `, queue time ${milliseconds(queueTimeP95Ms)}`)

function renderSignals(signals: Status['fleet']['signals']): string {
  return Object.entries(signals)
    .map(([name, value]) => `, ${harmless(name)} ${count(value)}`)
    .join('')
}

function renderWorkers(workers: readonly WorkerStatus[], paint: Paint): string[] {
  if (workers.length === 0) return ['no workers']
  const columns = workers.some(({ database }) => database !== null) ? [...COLUMNS, DATABASE_COLUMN] : COLUMNS
  const rows = workers.map((worker) => columns.map(([, show]) => show(worker)))
  const widths = columns.map(([title], column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const title = paint('dim', line(columns.map(([name]) => name)))
  return [
    title,
    ...workers.map((worker, index) => line(rows[index] ?? []).replace(` ${worker.state} `, ` ${paint(STATE_STYLES[worker.state], worker.state)} `)),
  ]
}

function renderDatabase({ budget, share, granted, acknowledged, inUse, waiting, quarantined, foreign }: NonNullable<Status['database']>): string {
  const shrinking = acknowledged > granted ? `, ${acknowledged - granted} more to be given back` : ''
  const dead = quarantined > 0 ? `, ${quarantined} of dead workers not yet closed by the server` : ''
  const others = foreign > 0 ? `, ${foreign} foreign` : ''
  return `database  ${granted} of ${share} connections granted, budget ${budget}; ${inUse} in use, ${waiting} waiting${shrinking}${dead}${others}`
}

function renderExtras({ database, replica, replicas, restarts, lastDecision }: Status, nowMs: number): string[] {
  const lines: string[] = []
  if (database) lines.push(renderDatabase(database))
  if (replica.coordination !== 'alone') lines.push(`replica   ${harmless(replica.id)}, ${replica.peers} peers, ${replica.coordination}`)
  if (replicas) lines.push(harmless(describeNeed(replicas)))
  const { total, lastExit } = restarts
  if (total > 0) {
    const how = lastExit && (lastExit.signal ?? `code ${lastExit.code}`)
    const last = lastExit
      ? `; last worker ${lastExit.workerId} at ${timeOfDay(lastExit.atMs, nowMs)}, ${how}${lastExit.cause ? ` (${harmless(lastExit.cause)})` : ''}`
      : ''
    lines.push(`restarts  ${total}${last}`)
  }
  lines.push(
    `last      ${lastDecision ? `${timeOfDay(lastDecision.atMs, nowMs)}  ${describeStep(lastDecision)}: ${harmless(lastDecision.reason)}` : 'no decision yet'}`,
  )
  return lines
}
