import { createDealer } from './dealer.ts'
import { createGatekeeper, type Gatekeeper } from './gatekeeper.ts'
import type { LaunchContext } from './launch.ts'
import { clusterWorkers, type Processes } from './processes.ts'

/** Null where Node hands out connections. */
export function chooseGatekeeper({ listen, app }: Pick<LaunchContext, 'listen' | 'app'>, processes: Processes): Gatekeeper | null {
  if (listen === 'cluster') return null
  if (listen === 'dealt') return createDealer({ entry: app.entry, pid: (workerId) => processes.pid(workerId), workers: clusterWorkers })
  return createGatekeeper((workerId, message) => processes.send(workerId, message))
}
