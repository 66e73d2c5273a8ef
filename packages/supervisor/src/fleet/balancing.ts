import { chooseReconnects, chooseSheds } from '../policy/balance.ts'
import { isFresh } from '../policy/health.ts'
import { isReady } from './census.ts'
import type { Draft } from './draft.ts'

/** Once a tick, when it is settled who serves: a worker that was promoted just now gets its share at once. */
export function balanceConnections(draft: Draft): void {
  if (draft.fleet.phase !== 'running') return
  const { rebalance, tickMs } = draft.fleet.settings
  const ready = draft.fleet.workers.filter((worker) => isReady(worker) && isFresh(worker.reportAtMs, draft.fleet.nowMs, tickMs))
  if (ready.length < 2) return
  const loads = ready.map(({ id, report }) => ({ workerId: id, movable: (report?.connections ?? 0) - (report?.sockets ?? 0) }))
  for (const shed of chooseSheds(loads)) draft.commands.push({ kind: 'shed', ...shed, lastingMs: null })
  if (!rebalance) return
  const lasting = ready.map(({ id, report }) => ({ workerId: id, movable: report?.sockets ?? 0 }))
  for (const move of chooseReconnects(lasting, tickMs)) draft.commands.push({ kind: 'shed', ...move, lastingMs: rebalance.intervalMs })
}
