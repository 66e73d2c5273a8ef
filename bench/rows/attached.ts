import { startBareCluster, startStationmaster, startSticky } from '../harness/contestants.ts'
import { duel, type DuelPlan, summarize } from '../harness/duel.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range } from '../harness/statistics.ts'

const MUST_BARE_RATIO = 0.93
const MUST_STICKY_RATIO = 10
const WORKERS = 2

export const attached: Row = {
  name: 'attached',
  title: 'Keep-alive requests/s with Socket.IO attached : bare cluster without stickiness, and : @socket.io/sticky',
  must: `≥ ${MUST_BARE_RATIO}, ≥ ${MUST_STICKY_RATIO}`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const load = { connections: 64, keepAlive: true, warmUpMs: quick ? 500 : 1500, durationMs: quick ? 1500 : 5000 }
  const plan: DuelPlan = { starts: quick ? 1 : 3, pairsPerStart: quick ? 2 : 4, load }
  const ours = () => startStationmaster('socket-io', { min: WORKERS, max: WORKERS })
  const bare = await duel(ours, () => startBareCluster('socket-io', WORKERS), plan)
  const sticky = await duel(ours, () => startSticky('socket-io', WORKERS), { ...plan, starts: 1 })
  const bareRatio = median(bare.ratios)
  const stickyRatio = median(sticky.ratios)
  return {
    measured: `${bareRatio.toFixed(3)}, ${stickyRatio.toFixed(1)}`,
    spread: `${range(bare.ratios, 3)}, ${range(sticky.ratios, 1)}`,
    reached: bareRatio >= MUST_BARE_RATIO && stickyRatio >= MUST_STICKY_RATIO,
    comparison: `${summarize(bare.ours).perSecond} : ${summarize(bare.theirs).perSecond} : ${summarize(sticky.theirs).perSecond} /s`,
    details: {
      bare: { ratios: bare.ratios, ours: summarize(bare.ours), theirs: summarize(bare.theirs) },
      sticky: { ratios: sticky.ratios, ours: summarize(sticky.ours), theirs: summarize(sticky.theirs) },
    },
  }
}
