import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Contestant, startBareCluster, startStationmaster } from '../harness/contestants.ts'
import { familyOf, residentMbOf } from '../harness/proc.ts'
import { end, start, type Started } from '../harness/processes.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { sum } from '../harness/statistics.ts'
import { within } from '../harness/wait.ts'
import type { CrowdMessage, CrowdOrder } from '../loads/crowd.ts'

const MUST_MEMORY_RATIO = 1.05
const GENERATOR = fileURLToPath(new URL('../loads/crowd.ts', import.meta.url))
const GENERATORS = 2
const WORKERS = 4
const EVERY_MS = 10_000
const CONNECT_LIMIT_MS = 180_000
const REPORT_LIMIT_MS = 30_000
/** What was said in time may be heard a little later. */
const SLACK_MS = 2000
/** Each pair of addresses has 28,000 ports. */
const HOSTS = Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 1}`)

type Report = Extract<CrowdMessage, { kind: 'report' }>

export const crowd: Row = {
  name: 'crowd',
  title:
    '10,000 WebSocket clients of Socket.IO through scale 2 → 4 → 2 and a reload: unexpected disconnects, acknowledged but not delivered once, memory per socket : plain Socket.IO',
  must: `0, 0, ≤ ${MUST_MEMORY_RATIO}`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const clients = quick ? 1000 : 10_000
  const folder = mkdtempSync(path.join(tmpdir(), 'stationmaster-bench-crowd-'))
  process.env['TOLD_FOLDER'] = folder
  try {
    const through = await throughChanges(clients, quick ? 2000 : 15_000, folder)
    const ours = await perSocketKb(await startStationmaster('crowd', { min: WORKERS, max: WORKERS, spares: 0, oversubscribe: true }), clients)
    const theirs = await perSocketKb(await startBareCluster('crowd', WORKERS), clients)
    const unexpected = sum(through.reports.flatMap((report) => Object.values(report.unexpected))) + through.askedForNothing
    const ratio = ours / theirs
    return {
      measured: `${unexpected}, ${through.wrong}, ${ratio.toFixed(2)}`,
      spread: 'one round',
      reached: unexpected === 0 && through.wrong === 0 && through.connected === clients && ratio <= MUST_MEMORY_RATIO,
      comparison: `${through.acknowledged} messages acknowledged, ${through.unanswered} not, ${through.asked} clients asked to come again, ${through.connected} of ${clients} there at the end; ${ours.toFixed(1)} : ${theirs.toFixed(1)} KB per socket`,
      details: { ...through, reports: through.reports.map(({ unexpected: how }) => how), oursKb: ours, theirsKb: theirs },
    }
  } finally {
    delete process.env['TOLD_FOLDER']
    rmSync(folder, { recursive: true, force: true })
  }
}

async function throughChanges(clients: number, calmMs: number, folder: string) {
  const server = await startStationmaster('crowd', { min: 2, max: WORKERS, spares: 0, oversubscribe: true })
  const generators = await gather(server.port, clients)
  const changes: { readonly fromMs: number; readonly toMs: number }[] = []
  const change = async (act: () => Promise<unknown>): Promise<void> => {
    const fromMs = Date.now()
    await act()
    changes.push({ fromMs, toMs: Date.now() + SLACK_MS })
    await pause(calmMs)
  }
  await pause(calmMs)
  await change(() => server.scale(4))
  await change(() => server.reload())
  await change(() => server.scale(2).then(() => server.settled(2)))
  const reports = await Promise.all(generators.map(dismiss))
  await server.stop()
  const times = new Map<string, number>()
  for (const file of readdirSync(folder)) {
    for (const text of readFileSync(path.join(folder, file), 'utf8').split('\n')) times.set(text, (times.get(text) ?? 0) + 1)
  }
  const askedAtMs = reports.flatMap((report) => report.askedAtMs)
  const acknowledged = reports.flatMap((report) => report.acknowledged)
  return {
    reports,
    acknowledged: acknowledged.length,
    wrong: acknowledged.filter((text) => times.get(text) !== 1).length,
    unanswered: sum(reports.map((report) => report.unanswered)),
    asked: askedAtMs.length,
    /** While nothing changed nobody had to come again. */
    askedForNothing: askedAtMs.filter((atMs) => !changes.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs)).length,
    connected: sum(reports.map((report) => report.connected)),
  }
}

/** Resident memory that the workers gain with all clients connected, per client. */
async function perSocketKb(server: Contestant, clients: number): Promise<number> {
  const workers = familyOf(server.pid).slice(1)
  const residentMb = (): number => sum(workers.map(residentMbOf))
  await pause(2000)
  const beforeMb = residentMb()
  const generators = await gather(server.port, clients)
  await pause(EVERY_MS + 2000)
  const gainedMb = residentMb() - beforeMb
  await Promise.all(generators.map(dismiss))
  await server.stop()
  return (gainedMb * 1024) / clients
}

async function gather(port: number, clients: number): Promise<Started[]> {
  return await Promise.all(
    Array.from({ length: GENERATORS }, async (_, index) => {
      const order: CrowdOrder = { port, hosts: HOSTS, clients: clients / GENERATORS, everyMs: EVERY_MS, name: `g${index}` }
      const generator = start(GENERATOR, [JSON.stringify(order)])
      await within('the crowd to connect', CONNECT_LIMIT_MS, once(generator.process, 'message'))
      return generator
    }),
  )
}

async function dismiss(generator: Started): Promise<Report> {
  const told = once(generator.process, 'message')
  generator.process.send('over')
  const [report] = (await within('the report of a crowd', REPORT_LIMIT_MS, told)) as [Report]
  await end(generator)
  return report
}
