import type { Agenda } from './agenda.ts'
import type { VirtualWorker } from './virtual-worker.ts'

/** Acts once a boot has had the time that it takes; what it was delayed meanwhile comes on top. */
export function whenBooted(agenda: Agenda, worker: VirtualWorker, atMs: number, act: () => void): void {
  const delayedMs = worker.bootDelayMs
  agenda.at(atMs, () => {
    const moreMs = worker.bootDelayMs - delayedMs
    if (moreMs > 1) whenBooted(agenda, worker, atMs + moreMs, act)
    else act()
  })
}
