import { chooseReconnects, chooseSheds } from '../policy/balance.ts'
import { isReady } from './census.ts'
import type { Draft } from './draft.ts'
import { factsOf } from './observe.ts'

/** Once a tick, when it is settled who serves: a worker that was promoted just now gets its share at once. */
export function balanceConnections(draft: Draft): void {
  if (draft.fleet.phase !== 'running') return
  const { rebalance, tickMs } = draft.fleet.settings
  const ready = draft.fleet.workers.filter(isReady).flatMap((worker) => {
    const { report } = factsOf(draft.fleet, worker)
    return report ? [{ workerId: worker.id, ...report }] : []
  })
  const loads = ready.map(({ workerId, connections, sockets }) => ({ workerId, movable: connections - sockets }))
  for (const shed of chooseSheds(loads)) draft.commands.push({ kind: 'shed', ...shed, lastingMs: null })
  if (!rebalance) return
  const lasting = ready.map(({ workerId, sockets }) => ({ workerId, movable: sockets }))
  for (const move of chooseReconnects(lasting, tickMs)) draft.commands.push({ kind: 'shed', ...move, lastingMs: rebalance.intervalMs })
}
