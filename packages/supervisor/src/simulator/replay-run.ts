import type { Recording } from '../fleet/replay.ts'
import type { Prices } from '../policy/cost.ts'
import { step } from '../fleet/step.ts'
import { Observer } from './observer.ts'
import { beginningOf } from './plan-from-journal.ts'
import type { Plan } from './plan.ts'
import { type Outcome, Tally } from './simulate.ts'

/** What really happened, in the form of a simulated outcome: the same events give the same decisions again. */
export function replayRun(plan: Plan, { start, events }: Recording, prices: Prices): Outcome {
  const observer = new Observer(plan)
  const tally = new Tally()
  const beganMs = beginningOf({ start, events })
  let fleet = start
  let answered = 0
  let waiting = 0
  for (const event of events) {
    const next = step(fleet, event)
    fleet = next.fleet
    tally.see(next.notes)
    if (event.kind === 'sampled') {
      const reports = event.samples.flatMap(({ report }) => report ?? [])
      answered += reports.reduce((sum, report) => sum + report.requests, 0)
      waiting = reports.reduce((sum, report) => sum + report.queue, 0)
    }
    observer.see({ fleet, event, ledger: { arrived: answered + waiting, answered, cut: 0, waiting }, atMs: event.nowMs - beganMs })
  }
  const ledger = { arrived: answered + waiting, answered, cut: 0, waiting }
  const restarts = fleet.restarts - start.restarts
  return tally.outcome(plan, observer, { ledger, restarts, violations: [], transcript: [], warnings: [] }, prices)
}
