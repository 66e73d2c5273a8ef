import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range } from '../harness/statistics.ts'

const MUST_DAY_S = 1
const MUST_MEMORY_MB = 150
const MUST_STEPS_PER_SECOND = 50_000
const ROUNDS = 5
const QUICK_HOURS = 1
const DAY_HOURS = 24
const SEEDS = 1000
const QUICK_SEEDS = 50
const LONGEST_MS = 300_000
const RUN = fileURLToPath(new URL('../fixtures/simulate.ts', import.meta.url))

const FEW_HOURS = 2

interface Measured {
  readonly cpuS: number
  readonly residentMb: number
  /** What was in use when it was over, garbage collected. */
  readonly keptMb: number
  readonly steps: number
  /** The same day once more in the same process. */
  readonly again: Omit<Measured, 'again'> | null
}

export const simulation: Row = {
  name: 'simulation',
  title: `${DAY_HOURS} simulated hours of ten workers at ticks of a second, all rules checked; memory above the start; lives by chance`,
  must: `≤ ${MUST_DAY_S} s of CPU, ≤ ${MUST_MEMORY_MB} MB, ≥ ${MUST_STEPS_PER_SECOND} steps/s`,
  run,
}

/** CPU time, not time on the clock: whatever else the machine does takes nothing from the figure. */
// oxlint-disable-next-line require-await -- every row answers with a promise
async function run({ quick }: Settings): Promise<Outcome> {
  const hours = quick ? QUICK_HOURS : DAY_HOURS
  const days = Array.from({ length: quick ? 1 : ROUNDS }, () => measure('day', hours))
  const few = measure('day', FEW_HOURS)
  const again = days.flatMap((day) => day.again ?? [])
  const lives = measure('lives', quick ? QUICK_SEEDS : SEEDS)
  const daySeconds = days.map(({ cpuS }) => (cpuS * DAY_HOURS) / hours)
  const residentMb = Math.max(...days.map((day) => day.residentMb))
  const stepsPerSecond = Math.round(lives.steps / lives.cpuS)
  return {
    measured: `${median(daySeconds).toFixed(1)} s, ${residentMb.toFixed(0)} MB, ${stepsPerSecond} steps/s`,
    spread: `${range(daySeconds, 1)} s`,
    reached: median(daySeconds) <= MUST_DAY_S && residentMb <= MUST_MEMORY_MB && stepsPerSecond >= MUST_STEPS_PER_SECOND,
    comparison: `once compiled: ${median(again.map(({ cpuS }) => (cpuS * DAY_HOURS) / hours)).toFixed(1)} s; in use afterwards: ${few.keptMb.toFixed(1)} MB after ${FEW_HOURS} hours, ${days[0]?.keptMb.toFixed(1)} MB after a day, ${again[0]?.keptMb.toFixed(1)} MB after two`,
    details: { days, few, lives },
  }
}

/** In a process of its own, whose memory is its own. */
function measure(what: 'day' | 'lives', amount: number): Measured {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', RUN, what, String(amount)], {
    encoding: 'utf8',
    timeout: LONGEST_MS,
  })
  if (status !== 0) throw new Error(`The simulation failed: ${stderr.trim().split('\n').at(-1) ?? ''}`)
  return JSON.parse(stdout) as Measured
}
