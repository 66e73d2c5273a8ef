import { once } from 'node:events'
import http from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Contestant, startBareCluster, startLeastBusy, startStationmaster } from '../harness/contestants.ts'
import { end, start, type Started } from '../harness/processes.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, quantile, range } from '../harness/statistics.ts'
import { within } from '../harness/wait.ts'
import type { SteadyOrder, SteadyRound } from '../loads/steady.ts'

const MUST_RATIO = 1.5
const WORKERS = 4
const PER_SECOND = 100
const BLOCKED_MS = 3000
/** A round is over before the loop turns again. */
const COUNT = ((BLOCKED_MS - 200) / 1000) * PER_SECOND
/** p99 of one round is its third worst request; of so many rounds together it is a figure. */
const ROUNDS = 24
const ROUNDS_OF_OTHERS = 6
const LIMIT_MS = 20_000
const GENERATOR = fileURLToPath(new URL('../loads/steady.ts', import.meta.url))

export const blocked: Row = {
  name: 'blocked',
  title: `${PER_SECOND} requests/s on new connections, 1 of ${WORKERS} event loops blocked for ${BLOCKED_MS / 1000} s: p99 of the others : undisturbed`,
  must: `≤ ${MUST_RATIO}`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const startOurs = () => startStationmaster('who', { min: WORKERS, max: WORKERS, spares: 0, oversubscribe: true })
  const ours = await measure(await startOurs(), quick ? 2 : ROUNDS)
  const others = quick ? 1 : ROUNDS_OF_OTHERS
  // A loop that is busy also takes one of the cores that all share: this is what is left without that.
  const idle = await measure(await startOurs(), others, '&idle')
  const roundRobin = await measure(await startBareCluster('who', WORKERS), others)
  const reusePort = await measure(await startBareCluster('who', WORKERS, { REUSE_PORT: '1' }), others)
  const leastBusy = await measure(await startLeastBusy('who', WORKERS), others)
  const ratio = ours.blockedP99Ms / ours.calmP99Ms
  return {
    measured: ratio.toFixed(2),
    spread: `p99 of all ${ours.ratios.length} rounds together; round by round ${range(ours.ratios, 2)}, median ${median(ours.ratios).toFixed(2)}`,
    reached: ratio <= MUST_RATIO,
    comparison: `p99 ${show(ours)}; a loop that stands still and takes no core: ${show(idle)}; Node cluster: ${show(roundRobin)}; SO_REUSEPORT: ${show(reusePort)}; least-busy: ${show(leastBusy)}`,
    details: { ours, idle, roundRobin, reusePort, leastBusy },
  }
}

interface Measured {
  /** Of all requests of all rounds. */
  readonly calmP99Ms: number
  readonly blockedP99Ms: number
  /** The same of each pair of rounds alone. */
  readonly ratios: readonly number[]
}

async function measure(contestant: Contestant, rounds: number, how = ''): Promise<Measured> {
  const order: SteadyOrder = { port: contestant.port, perSecond: PER_SECOND, count: COUNT }
  const generator = start(GENERATOR, [JSON.stringify(order)])
  const calm: SteadyRound[] = []
  const blockedOnes: SteadyRound[] = []
  const withBlocked = async (): Promise<SteadyRound> => {
    const blocking = askToBlock(contestant.port, how)
    await pause(50) // it has been read by then
    const latencies = await playRound(generator)
    await blocking
    return latencies
  }
  await playRound(generator) // warm-up
  for (let turn = 0; turn < rounds; turn++) {
    // ABBA, so that a machine that slows down or speeds up favours nobody.
    if (turn % 2 === 0) calm.push(await playRound(generator))
    blockedOnes.push(await withBlocked())
    if (turn % 2 === 1) calm.push(await playRound(generator))
  }
  await end(generator)
  await contestant.stop()
  return {
    calmP99Ms: quantile(calm.flat(), 0.99),
    blockedP99Ms: quantile(blockedOnes.flat(), 0.99),
    ratios: blockedOnes.map((round, index) => quantile(round, 0.99) / quantile(calm[index] ?? [], 0.99)),
  }
}

/** How long each request of a round took, as the generator tells. */
async function playRound(generator: Started): Promise<SteadyRound> {
  const answer = once(generator.process, 'message')
  generator.process.send('round')
  const [latencies] = (await within('a round of a steady load', LIMIT_MS, answer)) as [SteadyRound]
  return latencies
}

/** Resolves when the loop that answers turns again. */
function askToBlock(port: number, how: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path: `/?ms=${BLOCKED_MS}${how}`, agent: false }, (response) => response.resume().once('end', resolve))
      .once('error', reject)
  })
}

const show = ({ calmP99Ms, blockedP99Ms }: Measured): string => `${calmP99Ms.toFixed(1)} → ${blockedP99Ms.toFixed(1)} ms`
