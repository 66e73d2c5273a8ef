import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Outcome, Row, Settings } from '../harness/row.ts'

const MOST_WORKERS = 1
const MOST_SECONDS = 2
const MOST_SHARE = 0.3
const LONGEST_MS = 300_000
const DEMO = fileURLToPath(new URL('../../packages/example-app/src/demo.ts', import.meta.url))
const COMPARE = fileURLToPath(new URL('../fixtures/reality.ts', import.meta.url))

interface Look {
  readonly workers: number
  readonly p95Ms: number
}

interface Change {
  readonly atS: number
  readonly from: number
  readonly to: number
}

interface Compared {
  readonly phases: readonly { readonly name: string; readonly real: Look; readonly virtual: Look }[]
  readonly changes: { readonly real: readonly Change[]; readonly virtual: readonly Change[] }
}

export const reality: Row = {
  name: 'reality',
  title: "The demo's phases, a real fleet : simulated from its journal: workers at the end of each, time of each change, p95 of each",
  must: `± ${MOST_WORKERS}, ± ${MOST_SECONDS} s, ± ${MOST_SHARE * 100} %`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stationmaster-bench-'))
  const [journal, report] = [path.join(folder, 'journal.jsonl'), path.join(folder, 'report.html')]
  const words = [DEMO, '--journal', journal, '--report', report, ...(quick ? ['--quick'] : [])]
  const demo = spawn(process.execPath, words, { stdio: 'ignore', timeout: LONGEST_MS, killSignal: 'SIGTERM' })
  await once(demo, 'close')
  const { stdout, stderr, status } = spawnSync(process.execPath, [COMPARE, journal], { encoding: 'utf8' })
  rmSync(folder, { recursive: true, force: true })
  if (status !== 0) throw new Error(`Nothing to compare: ${stderr.trim().split('\n').at(-1) ?? ''}`)
  return outcomeOf(JSON.parse(stdout) as Compared)
}

function outcomeOf(compared: Compared): Outcome {
  const { phases, changes } = compared
  const workers = Math.max(...phases.map(({ real, virtual }) => Math.abs(virtual.workers - real.workers)))
  const late = latest(changes.real, changes.virtual)
  const share = Math.max(...phases.map(({ real, virtual }) => Math.abs(virtual.p95Ms / real.p95Ms - 1)))
  const count = changes.virtual.length - changes.real.length
  return {
    measured: `± ${workers}, ± ${late.toFixed(1)} s${count === 0 ? '' : `, ${count > 0 ? `${count} changes more` : `${-count} changes less`}`}, ± ${(share * 100).toFixed(0)} %`,
    spread: 'one round',
    reached: workers <= MOST_WORKERS && late <= MOST_SECONDS && count === 0 && share <= MOST_SHARE,
    comparison: phases
      .map(
        ({ name, real, virtual }) =>
          `${name}: ${real.workers} : ${virtual.workers} workers, p95 ${real.p95Ms.toFixed(0)} : ${virtual.p95Ms.toFixed(0)} ms`,
      )
      .join('; '),
    details: { ...compared },
  }
}

/** Of the changes that both made, in order. */
function latest(real: readonly Change[], virtual: readonly Change[]): number {
  return Math.max(0, ...real.map(({ atS }, index) => Math.abs((virtual[index]?.atS ?? atS) - atS)))
}
