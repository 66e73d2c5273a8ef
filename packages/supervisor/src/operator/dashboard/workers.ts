import type { WorkerStatus } from '../../fleet/status.ts'
import type { ScalingSettings } from '../../policy/settings.ts'
import { describeValue } from '../../policy/describe.ts'
import { escape } from '../../simulator/plot-frame.ts'
import { bytes, count, milliseconds, ratio, uptime } from '../units.ts'

export type Thresholds = Pick<ScalingSettings, 'up' | 'down'>

interface Column {
  readonly title: string
  readonly show: (worker: WorkerStatus) => string
  /** The signal of the scaling policy that it is, where it is one. */
  readonly signal?: string
  readonly value?: (worker: WorkerStatus) => number | null
}

const COLUMNS: readonly Column[] = [
  { title: 'cpu', signal: 'cpu', value: ({ cpu }) => cpu, show: ({ cpu }) => ratio(cpu) },
  { title: 'memory', signal: 'memory', value: ({ memory }) => memory, show: showMemory },
  {
    title: 'event loop',
    signal: 'eventLoopUtilization',
    value: ({ eventLoopUtilization }) => eventLoopUtilization,
    show: ({ eventLoopUtilization }) => ratio(eventLoopUtilization),
  },
  {
    title: 'loop delay p99',
    signal: 'eventLoopDelay',
    value: ({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms,
    show: ({ eventLoopDelayP99Ms }) => milliseconds(eventLoopDelayP99Ms),
  },
  { title: 'queue', signal: 'queue', value: ({ queue }) => queue, show: ({ queue }) => count(queue) },
  { title: 'p95', signal: 'p95', value: ({ p95Ms }) => p95Ms, show: ({ p95Ms }) => milliseconds(p95Ms) },
  { title: 'req/s', show: ({ requestsPerSecond }) => count(requestsPerSecond) },
  { title: 'connections', show: ({ connections }) => count(connections) },
  { title: 'sockets', show: ({ sockets }) => count(sockets) },
]

const ORDER: readonly WorkerStatus['state'][] = ['ready', 'spare', 'booting', 'draining', 'killing']

/** One row for each worker, by state; what is above its threshold stands out, and the thresholds stand below. */
export function drawWorkers(workers: readonly WorkerStatus[], thresholds: Thresholds): string {
  if (workers.length === 0) return '<p class="quiet">No worker runs.</p>'
  const sorted = [...workers].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.slot - b.slot)
  const head = ['worker', 'state', 'up', ...COLUMNS.map(({ title }) => title)]
  return `<div class="wide"><table class="workers"><thead><tr>${head.map((title) => `<th scope="col">${title}</th>`).join('')}</tr></thead>
<tbody>${sorted.map((worker) => drawWorker(worker, thresholds)).join('')}</tbody>
<tfoot>${drawThresholds('grow above', thresholds.up)}${drawThresholds('shrink below', thresholds.down)}</tfoot></table></div>`
}

function drawWorker(worker: WorkerStatus, { up }: Thresholds): string {
  const { id, slot, pid, generation, state, uptimeS } = worker
  const cells = COLUMNS.map(({ title, show, signal, value }) => {
    const threshold = signal === undefined ? undefined : up[signal]?.threshold
    const now = value?.(worker) ?? null
    const isAbove = threshold !== undefined && now !== null && now > threshold
    const bar = threshold === undefined || now === null ? '' : drawBar(now, threshold)
    return `<td data-title="${title}"${isAbove ? ' class="above"' : ''}>${escape(show(worker))}${isAbove ? ' <abbr title="above its threshold">▲</abbr>' : ''}${bar}</td>`
  })
  return `<tr><th scope="row">${id}<small>slot ${slot} · pid ${pid ?? '-'} · gen ${generation}</small></th><td data-title="state"><span class="state ${state}">${state}</span></td><td data-title="up">${uptime(uptimeS)}</td>${cells.join('')}</tr>`
}

/** Up to its threshold at two thirds of its length. */
export function drawBar(value: number, threshold: number): string {
  const width = Math.round(Math.min(1, Math.max(0, (value / Math.max(threshold, 1e-9)) * (2 / 3))) * 1000) / 10
  return `<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="${value > threshold ? 'over' : 'under'}" width="${width}" height="4"/><line x1="66.7" x2="66.7" y1="0" y2="4"/></svg>`
}

function drawThresholds(title: string, triggers: Thresholds['up']): string {
  const cells = COLUMNS.map(({ title: column, signal }) => {
    const trigger = signal === undefined ? undefined : triggers[signal]
    return `<td data-title="${column}">${signal !== undefined && trigger ? `${describeValue(signal, trigger.threshold)}<small>for ${Math.round(trigger.forMs / 1000)} s</small>` : ''}</td>`
  })
  return `<tr><th scope="row" colspan="3">${title}</th>${cells.join('')}</tr>`
}

function showMemory({ memoryBytes, memory }: WorkerStatus): string {
  return memory === null ? bytes(memoryBytes) : `${bytes(memoryBytes)} (${ratio(memory)})`
}
