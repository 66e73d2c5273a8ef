import { setTimeout as pause } from 'node:timers/promises'
import { type Contestant, startBareCluster, startStationmaster } from '../harness/contestants.ts'
import { cpuMsOf, residentMbOf } from '../harness/proc.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range, sum } from '../harness/statistics.ts'

const MUST_CPU_PERCENT = 1
const MUST_MEMORY_MB = 20
const WORKERS = 10
const LOOKS = 10

export const rest: Row = {
  name: 'rest',
  title: `Primary at rest with ${WORKERS} workers: CPU of one core, memory above a bare primary`,
  must: `≤ ${MUST_CPU_PERCENT} %, ≤ ${MUST_MEMORY_MB} MB`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const settleMs = quick ? 2000 : 10_000
  const lookMs = quick ? 500 : 6000
  const server = await startStationmaster('hello', { min: WORKERS, max: WORKERS, spares: 0, oversubscribe: true })
  await server.settled(WORKERS, 0)
  await pause(settleMs)
  const ours = await observe(server, lookMs)
  const bare = await startBareCluster('hello', WORKERS)
  await pause(settleMs)
  const theirs = await observe(bare, lookMs)
  await Promise.all([server.stop(), bare.stop()])
  const aboveMb = median(ours.residentMb) - median(theirs.residentMb)
  const cpuPercent = mean(ours.cpuPercent)
  return {
    measured: `${cpuPercent.toFixed(2)} %, ${aboveMb.toFixed(1)} MB`,
    spread: `${range(ours.cpuPercent, 2)} %`,
    reached: cpuPercent <= MUST_CPU_PERCENT && aboveMb <= MUST_MEMORY_MB,
    comparison: `bare primary: ${mean(theirs.cpuPercent).toFixed(2)} %, ${median(theirs.residentMb).toFixed(1)} MB`,
    details: { stationmaster: ours, bare: theirs },
  }
}

async function observe({ pid }: Contestant, lookMs: number): Promise<{ cpuPercent: number[]; residentMb: number[] }> {
  const cpuPercent: number[] = []
  const residentMb: number[] = []
  for (let look = 0; look < LOOKS; look++) {
    const cpuBeforeMs = cpuMsOf([pid])
    const begunAtMs = performance.now()
    await pause(lookMs)
    cpuPercent.push(((cpuMsOf([pid]) - cpuBeforeMs) / (performance.now() - begunAtMs)) * 100)
    residentMb.push(residentMbOf(pid))
  }
  return { cpuPercent, residentMb }
}

/** CPU time is counted in steps of 10 ms: of short looks the mean says more than the median. */
function mean(values: readonly number[]): number {
  return sum(values) / values.length
}
