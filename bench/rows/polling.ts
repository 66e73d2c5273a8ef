import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Contestant, startStationmaster, startSticky } from '../harness/contestants.ts'
import { end, start } from '../harness/processes.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range, sum } from '../harness/statistics.ts'
import { within } from '../harness/wait.ts'
import type { ChatOrder, ChatReport } from '../loads/chat.ts'

const MUST_RATIO = 2
const WORKERS = 4
const CLIENTS = 200
const GENERATOR = fileURLToPath(new URL('../loads/chat.ts', import.meta.url))
const MARGIN_MS = 30_000

export const polling: Row = {
  name: 'polling',
  title: `${CLIENTS} polling clients, ${WORKERS} workers: acknowledged messages/s : @socket.io/sticky, and disconnects`,
  must: `≥ ${MUST_RATIO}, 0`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const ours: ChatReport[] = []
  const theirs: ChatReport[] = []
  for (let pair = 0; pair < (quick ? 1 : 4); pair++) {
    ours.push(await measure(await startStationmaster('socket-io', { min: WORKERS, max: WORKERS, spares: 0, oversubscribe: true }), quick))
    theirs.push(await measure(await startSticky('socket-io', WORKERS), quick))
  }
  const ratios = ours.map((report, index) => perSecond(report) / perSecond(theirs[index] as ChatReport))
  const disconnects = sum(ours.map(lost))
  return {
    measured: `${median(ratios).toFixed(2)}, ${disconnects}`,
    spread: range(ratios, 2),
    reached: median(ratios) >= MUST_RATIO && disconnects === 0,
    comparison: `${median(ours.map(perSecond)).toFixed(0)} : ${median(theirs.map(perSecond)).toFixed(0)} /s; @socket.io/sticky: ${sum(theirs.map(lost))} disconnects`,
    details: { ours, theirs },
  }
}

async function measure(contestant: Contestant, quick: boolean): Promise<ChatReport> {
  const order: ChatOrder = {
    port: contestant.port,
    clients: CLIENTS,
    warmUpMs: quick ? 2000 : 4000,
    durationMs: quick ? 2000 : 8000,
    returns: false,
  }
  const generator = start(GENERATOR, [JSON.stringify(order)])
  const [report] = (await within('the report of a chat', order.warmUpMs + order.durationMs + MARGIN_MS, once(generator.process, 'message'))) as [
    ChatReport,
  ]
  await end(generator)
  await contestant.stop()
  return report
}

const perSecond = ({ acknowledged, elapsedMs }: ChatReport): number => (acknowledged / elapsedMs) * 1000
const lost = ({ disconnects }: ChatReport): number => sum(Object.values(disconnects))
