import type { DatabaseStatus, Status } from '../../fleet/status.ts'
import type { Decision } from '../../policy/decision.ts'
import { describeMs, describeValue } from '../../policy/describe.ts'
import { type Prices, monthlyCostUsd } from '../../policy/cost.ts'
import { describeNeed } from '../../policy/replicas.ts'
import { escape } from '../../simulator/plot-frame.ts'
import { describeStep } from '../render-decision.ts'
import { bytes, count, milliseconds, ratio, timeOfDay, uptime } from '../units.ts'
import { drawBar } from './workers.ts'

export function drawHead({ state, mode, generation, pid, uptimeS, replica, capacity }: Status): string {
  const facts = [
    `up ${uptime(uptimeS)}`,
    `generation ${generation}`,
    `pid ${pid}`,
    `${count(capacity.cpus)} CPUs, ${bytes(capacity.memoryBytes)}`,
    replica.id,
  ]
  return `<h1>stationmaster <span class="state ${state}">${state}</span>${mode === 'auto' ? '' : ` <span class="state ${mode}">${mode}</span>`}</h1><p>${facts.map(escape).join(' · ')}</p>`
}

/** What people should not miss. */
export function drawAlerts({ mode, replica, replicas }: Status): string {
  const alerts = [
    ...(mode === 'shadow' ? ['Shadow mode: sizes are decided and explained, and nothing is done.'] : []),
    ...(mode === 'manual' ? ['The size was set by hand; `stationmaster scale auto` gives it back to the load.'] : []),
    ...(replica.coordination === 'redis-lost' ? ['Redis is lost: this replica does not know of the others.'] : []),
    ...(replicas ? [describeNeed(replicas)] : []),
  ]
  return alerts.map((alert) => `<p class="alert">${escape(alert)}</p>`).join('')
}

export function drawTiles({ fleet, replica, replicas, restarts, workers }: Status, prices: Prices): string {
  const have = replicas?.have ?? Math.max(1, replica.peers)
  const leaving = workers.filter(({ state }) => state === 'draining' || state === 'killing').length
  const around = [
    `${fleet.min} to ${fleet.max}`,
    ...(fleet.spares > 0 ? [`${fleet.spares} spare`] : []),
    ...(leaving > 0 ? [`${leaving} leaving`] : []),
  ]
  const tiles: readonly (readonly [title: string, value: string, more: string])[] = [
    ['workers ready', `${fleet.ready} of ${fleet.target}`, around.join(', ')],
    ['cpu', ratio(fleet.cpu), 'of a core, per worker'],
    ['memory', ratio(fleet.memory), 'of the limit, per worker'],
    ['event loop', ratio(fleet.eventLoopUtilization), `delay p99 ${milliseconds(fleet.eventLoopDelayP99Ms)}`],
    ['requests', `${count(fleet.requestsPerSecond)}/s`, `${count(fleet.queue)} in flight per worker`],
    ['p95', milliseconds(fleet.p95Ms), 'response time'],
    ['restarts', String(restarts.total), restarts.lastExit ? `last: worker ${restarts.lastExit.workerId}` : 'none yet'],
    ['replicas', String(have), `${monthlyCostUsd(have, prices)} USD a month`],
  ]
  return tiles
    .map(([title, value, more]) => `<div><span>${title}</span><strong>${escape(value)}</strong><small>${escape(more)}</small></div>`)
    .join('')
}

/** Why the fleet has its size right now, signal by signal. */
export function drawStanding(standing: Decision | null): string {
  if (standing === null) return '<p class="quiet">The load was not looked at yet.</p>'
  const rows = Object.entries(standing.signals).map(
    ([name, { value, threshold, heldForMs }]) =>
      `<tr><th scope="row">${escape(name)}</th><td>${describeValue(name, value)}${value === null ? '' : drawBar(value, threshold)}</td><td>${describeValue(name, threshold)}</td><td>${heldForMs > 0 ? describeMs(heldForMs) : '–'}</td></tr>`,
  )
  const table = `<div class="wide"><table><thead><tr><th scope="col">signal</th><th scope="col">now</th><th scope="col">threshold</th><th scope="col">held for</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
  return `<p class="step"><b>${describeStep(standing)}</b>: ${escape(standing.reason)}</p>${drawObstacles(standing)}${rows.length > 0 ? table : ''}<p class="quiet">Would change: ${escape(standing.wouldChange)}</p>`
}

export function drawDecisions(decisions: readonly Decision[], nowMs: number): string {
  if (decisions.length === 0) return '<p class="quiet">None yet.</p>'
  const items = decisions.toReversed().map((decision) => {
    const { atMs, from, to, reason } = decision
    const direction = to > from ? 'up' : to < from ? 'down' : 'same'
    return `<li><time datetime="${new Date(atMs).toISOString()}">${timeOfDay(atMs, nowMs)}</time><b class="${direction}">${describeStep(decision)}</b><span>${escape(reason)}${drawObstacles(decision)}</span></li>`
  })
  return `<ol class="decisions">${items.join('')}</ol>`
}

const drawObstacles = ({ heldBackBy }: Decision): string =>
  heldBackBy.map((sentence) => `<span class="held">held back by ${escape(sentence)}</span>`).join('')

export function drawDatabase(database: DatabaseStatus, workers: Status['workers']): string {
  const { budget, share, granted, acknowledged, inUse, waiting, quarantined, foreign, why } = database
  const facts = Object.entries({ 'in use': inUse, granted, acknowledged, waiting, quarantined, foreign, 'share of this replica': share, budget })
  const rows = workers.flatMap(({ id, database: lease }) =>
    lease
      ? [
          `<tr><th scope="row">${id}</th><td>${lease.inUse}${drawBar(lease.inUse, Math.max(1, lease.granted))}</td><td>${lease.granted}</td><td>${lease.acknowledged}</td><td>${lease.waiting}</td></tr>`,
        ]
      : [],
  )
  const heads = ['worker', 'in use', 'granted', 'acknowledged', 'waiting'].map((title) => `<th scope="col">${title}</th>`).join('')
  return `<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>
<div class="wide"><table><thead><tr>${heads}</tr></thead><tbody>${rows.join('')}</tbody></table></div><ul class="quiet">${why.map((sentence) => `<li>${escape(sentence)}</li>`).join('')}</ul>`
}

export function drawLastExit({ restarts }: Status, nowMs: number): string {
  const { lastExit } = restarts
  if (lastExit === null) return ''
  const { workerId, atMs, code, signal, cause, lastStderrLines } = lastExit
  const how = `worker ${workerId} at ${timeOfDay(atMs, nowMs)}: ${signal ?? `code ${code}`}${cause ? ` (${cause})` : ''}`
  return `<p>${escape(how)}</p>${lastStderrLines.length > 0 ? `<pre tabindex="0">${lastStderrLines.map(escape).join('\n')}</pre>` : ''}`
}
