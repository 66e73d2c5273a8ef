// `npm run bench` or `node bench/run.ts [--quick] [--peers] [row…]`: what stationmaster costs and what it gives, as ratios measured here and now.
import { parseArgs } from 'node:util'
import { describeMachine } from './harness/machine.ts'
import { removePm2 } from './harness/pm2.ts'
import { closeDown, endAll } from './harness/processes.ts'
import { type Measured, tableOf, writeResults } from './harness/report.ts'
import type { Row, Settings } from './harness/row.ts'
import { attached } from './rows/attached.ts'
import { balance } from './rows/balance.ts'
import { blocked } from './rows/blocked.ts'
import { budgetMove } from './rows/budget-move.ts'
import { budgetShare } from './rows/budget-share.ts'
import { budgetThroughput } from './rows/budget-throughput.ts'
import { changes } from './rows/changes.ts'
import { crowd } from './rows/crowd.ts'
import { deaths } from './rows/deaths.ts'
import { policies } from './rows/policies.ts'
import { polling } from './rows/polling.ts'
import { cold, spare } from './rows/first-request.ts'
import { connections, keepAlive } from './rows/rates.ts'
import { reality } from './rows/reality.ts'
import { rest } from './rows/rest.ts'
import { rush } from './rows/rush.ts'
import { sessions } from './rows/sessions.ts'
import { simulation } from './rows/simulation.ts'

const ROWS: readonly Row[] = [
  keepAlive,
  connections,
  changes,
  spare,
  cold,
  rush,
  rest,
  deaths,
  balance,
  blocked,
  attached,
  polling,
  crowd,
  sessions,
  budgetMove,
  budgetThroughput,
  budgetShare,
  simulation,
  reality,
  policies,
]
const USAGE = `Usage: node bench/run.ts [--quick] [--peers] [row…]

  --quick   short rounds, to see that everything works; nothing is written
  --peers   installs PM2 into a temporary folder and measures it too
  row       ${ROWS.map(({ name }) => name).join(', ')}; all without one, and then the results are written to bench/results`

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const order = understand(args)
  if (typeof order === 'string') {
    console.error(`${order}\n\n${USAGE}`)
    return 2
  }
  if (process.platform !== 'linux') {
    console.error('The benchmarks read /proc, so they need Linux.')
    return 2
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void interrupted())
  const measured: Measured[] = []
  for (const row of order.rows) measured.push({ row, outcome: await measure(row, order.settings) })
  removePm2()
  console.log(`\n${tableOf(measured)}`)
  if (order.rows.length === ROWS.length && !order.settings.quick) console.log(`\nWritten to ${writeResults(measured, describeMachine(), new Date())}`)
  return measured.every(({ outcome }) => 'reached' in outcome && outcome.reached) ? 0 : 1
}

function understand(args: string[]): { rows: readonly Row[]; settings: Settings } | string {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { quick: { type: 'boolean' }, peers: { type: 'boolean' } } })
    const unknown = positionals.find((name) => !ROWS.some((row) => row.name === name))
    if (unknown !== undefined) return `There is no row "${unknown}".`
    const rows = positionals.length === 0 ? ROWS : ROWS.filter(({ name }) => positionals.includes(name))
    return { rows, settings: { quick: values.quick ?? false, peers: values.peers ?? false } }
  } catch (error) {
    return (error as Error).message
  }
}

/** A row that fails ends what it started and spoils no other. */
async function measure(row: Row, settings: Settings): Promise<Measured['outcome']> {
  console.log(`${row.title} …`)
  try {
    const outcome = await row.run(settings)
    console.log(`  ${outcome.measured} (must ${row.must}; ${outcome.spread}) ${outcome.comparison}`)
    return outcome
  } catch (error) {
    console.log(`  not measured: ${(error as Error).message}`)
    return { error: (error as Error).message }
  } finally {
    await endAll()
  }
}

async function interrupted(): Promise<never> {
  console.error('Interrupted: ending what was started …')
  await closeDown()
  removePm2()
  process.exit(1)
}
