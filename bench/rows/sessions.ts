import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Stationmaster, startStationmaster } from '../harness/contestants.ts'
import { end, start } from '../harness/processes.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { until, within } from '../harness/wait.ts'
import type { ChatOrder, ChatReport } from '../loads/chat.ts'
import { TOLD_TO_LEAVE } from '../loads/polling-client.ts'

const CLIENTS = 500
const FEW = 2
const MANY = 6
const LIMIT_MS = 240_000
const GENERATOR = fileURLToPath(new URL('../loads/chat.ts', import.meta.url))

export const sessions: Row = {
  name: 'sessions',
  title: `${CLIENTS} polling clients that never pause, workers ${FEW} → ${MANY} → ${FEW} and one killed: sessions that nobody knows, but the killed one’s own`,
  must: '0',
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const server = await startStationmaster('socket-io', { min: FEW, max: MANY, spares: 0, oversubscribe: true })
  const order: ChatOrder = { port: server.port, clients: CLIENTS, warmUpMs: 4000, durationMs: LIMIT_MS, returns: true }
  const generator = start(GENERATOR, [JSON.stringify(order)])
  const answer = within('the report of a chat', LIMIT_MS + 30_000, once(generator.process, 'message'))
  const stays = async (): Promise<void> => await pause(quick ? 1000 : 10_000)
  await pause(order.warmUpMs)
  for (const workers of [FEW, MANY, FEW]) {
    await server.scale(workers)
    await server.settled(workers, 0)
    await stays()
  }
  const victim = await kill(server)
  await stays()
  generator.process.send('over')
  const [report] = (await answer) as [ChatReport]
  await end(generator)
  await server.stop()
  const { [`Error: ${TOLD_TO_LEAVE}`]: toldToLeave = 0, ...lost } = report.disconnects
  const [ofVictim, ofOthers] = [true, false].map((isVictims) => report.unknown.filter((sid) => sid.startsWith(`${victim}-`) === isVictims).length)
  return {
    measured: String(ofOthers),
    spread: Object.entries(lost)
      .map(([how, count]) => `${count} × ${how}`)
      .join(', '),
    reached: ofOthers === 0,
    // A poll that meets the very moment in which its connection is closed is sent once more by browsers; these clients count it as an end.
    comparison: `${report.acknowledged} messages acknowledged; ${toldToLeave} sessions were told to leave and went on elsewhere; ${ofVictim} of the killed one’s were unknown`,
    details: { report },
  }
}

/** The name of the one that was killed, as it stands before its sessions' ids; its replacement is ready. */
async function kill(server: Stationmaster): Promise<string> {
  const [victim] = (await server.settled(FEW, 0)).workers
  if (!victim?.pid) throw new Error('There is nobody to kill.')
  process.kill(victim.pid, 'SIGKILL')
  await until('its replacement', LIMIT_MS, async () => ((await server.settled(FEW, 0)).workers.every(({ id }) => id !== victim.id) ? true : null))
  return victim.id.toString(36)
}
