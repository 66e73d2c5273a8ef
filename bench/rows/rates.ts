import { type Contestant, startBareCluster, startLeastBusy, startStationmaster } from '../harness/contestants.ts'
import { duel, type DuelPlan, summarize } from '../harness/duel.ts'
import { installPm2, startPm2 } from '../harness/pm2.ts'
import { findWrk, measureRateByWrk } from '../harness/wrk.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range } from '../harness/statistics.ts'

const WORKERS = 2

interface Contest {
  readonly mustRatio: number
  readonly connections: number
  readonly keepAlive: boolean
}

const REUSED: Contest = { mustRatio: 0.95, connections: 64, keepAlive: true }
const NEW: Contest = { mustRatio: 1.7, connections: 32, keepAlive: false }

export const keepAlive: Row = {
  name: 'keep-alive',
  title: 'Keep-alive requests/s, 2 workers, all sampling on : bare Node cluster',
  must: `≥ ${REUSED.mustRatio}`,
  run: (settings) => run(REUSED, settings),
}

export const connections: Row = {
  name: 'connections',
  title: 'New connections/s, 2 workers, all sampling on : Node cluster (round robin)',
  must: `≥ ${NEW.mustRatio}`,
  run: (settings) => run(NEW, settings),
}

async function run({ mustRatio, ...clients }: Contest, { quick, peers }: Settings): Promise<Outcome> {
  const load = { ...clients, warmUpMs: quick ? 500 : 1500, durationMs: quick ? 1500 : 5000 }
  // Where every request opens a connection, clients cost as much as servers.
  const client = clients.keepAlive ? null : findWrk()
  const plan: DuelPlan = { starts: quick ? 1 : 4, pairsPerStart: quick ? 2 : 4, load, ...(client ? { measure: measureRateByWrk } : {}) }
  const bare = () => startBareCluster('hello', WORKERS)
  const result = await duel(() => startStationmaster('hello', { min: WORKERS, max: WORKERS }), bare, plan)
  const ratio = median(result.ratios)
  const ours = summarize(result.ours)
  const theirs = summarize(result.theirs)
  const missing = peers ? installPm2() : 'not asked for'
  // Who accepts matters for new connections only.
  const others = peers && !clients.keepAlive ? await measureOthers(bare, plan) : {}
  const pm2 = missing === null ? await duel(() => startPm2('hello', WORKERS), bare, { ...plan, starts: 1 }) : null
  const beside = Object.entries({ ...(pm2 ? { PM2: pm2 } : {}), ...others }).map(([name, { ratios }]) => `${name}: ${median(ratios).toFixed(3)}`)
  return {
    measured: ratio.toFixed(3),
    spread: range(result.ratios, 3),
    reached: ratio >= mustRatio,
    comparison: [
      ...beside,
      ...(client ? [`clients: ${client}`] : []),
      `${ours.perSecond} : ${theirs.perSecond} /s`,
      `server CPU ${ours.serverMicrosecondsPerRequest} : ${theirs.serverMicrosecondsPerRequest} µs each`,
    ].join('; '),
    details: {
      ratios: result.ratios,
      stationmaster: ours,
      nodeCluster: theirs,
      others,
      pm2: pm2 ? { ratios: pm2.ratios, ...summarize(pm2.ours) } : missing,
    },
  }
}

/** Other ways to share connections out: by the primary to whoever has the fewest; and by nobody, which is as fast as it goes, and as uneven. */
async function measureOthers(bare: () => Promise<Contestant>, plan: DuelPlan): Promise<Record<string, { readonly ratios: readonly number[] }>> {
  const ways = {
    'least-busy': () => startLeastBusy('hello', WORKERS),
    'reuse-port': () => startBareCluster('hello', WORKERS, { REUSE_PORT: '1' }),
    'no scheduler at all': () => startBareCluster('hello', WORKERS, { NODE_CLUSTER_SCHED_POLICY: 'none' }),
  }
  const measured: Record<string, { readonly ratios: readonly number[] }> = {}
  for (const [name, start] of Object.entries(ways)) measured[name] = { ratios: (await duel(start, bare, { ...plan, starts: 1 })).ratios }
  return measured
}
