import http from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { type Contestant, startBareCluster, startStationmaster } from '../harness/contestants.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range } from '../harness/statistics.ts'

const MUST_RATIO = 1.5
const WORKERS = 4
const PER_SECOND = 100
const BLOCKED_MS = 3000
const LIMIT_MS = 10_000

export const blocked: Row = {
  name: 'blocked',
  title: `${PER_SECOND} requests/s on new connections, 1 of ${WORKERS} event loops blocked for ${BLOCKED_MS / 1000} s: p99 of the others : undisturbed`,
  must: `≤ ${MUST_RATIO}`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const rounds = quick ? 1 : 5
  const ours = await measure(await startStationmaster('who', { min: WORKERS, max: WORKERS, spares: 0, oversubscribe: true }), rounds)
  const roundRobin = await measure(await startBareCluster('who', WORKERS), rounds)
  const reusePort = await measure(await startBareCluster('who', WORKERS, { REUSE_PORT: '1' }), rounds)
  const ratio = median(ours.ratios)
  return {
    measured: ratio.toFixed(2),
    spread: range(ours.ratios, 2),
    reached: ratio <= MUST_RATIO,
    comparison: `p99 ${show(ours)}; Node cluster: ${show(roundRobin)}; SO_REUSEPORT: ${show(reusePort)}`,
    details: { ours, roundRobin, reusePort },
  }
}

interface Rounds {
  readonly ratios: readonly number[]
  readonly calmP99Ms: readonly number[]
  readonly blockedP99Ms: readonly number[]
}

async function measure(contestant: Contestant, rounds: number): Promise<Rounds> {
  const calmP99Ms: number[] = []
  const blockedP99Ms: number[] = []
  await p99Ms(contestant.port) // warm-up
  for (let round = 0; round < rounds; round++) {
    calmP99Ms.push(await p99Ms(contestant.port))
    const blocking = ask(contestant.port, `/?ms=${BLOCKED_MS}`)
    await pause(50) // it has been read by then
    blockedP99Ms.push(await p99Ms(contestant.port))
    await blocking
  }
  await contestant.stop()
  return { calmP99Ms, blockedP99Ms, ratios: blockedP99Ms.map((ms, index) => ms / (calmP99Ms[index] ?? Number.NaN)) }
}

/** Of requests that come at a steady pace while one loop would be blocked, whatever becomes of those before. */
async function p99Ms(port: number): Promise<number> {
  const begunAtMs = performance.now()
  const answers: Promise<number>[] = []
  const count = ((BLOCKED_MS - 200) / 1000) * PER_SECOND
  for (let index = 0; index < count; index++) {
    answers.push(ask(port, '/'))
    await pause(Math.max(0, begunAtMs + ((index + 1) * 1000) / PER_SECOND - performance.now()))
  }
  const sorted = (await Promise.all(answers)).toSorted((one, other) => one - other)
  return sorted[Math.ceil(sorted.length * 0.99) - 1] as number
}

function ask(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const begunAtMs = performance.now()
    const request = http.get({ host: '127.0.0.1', port, path, agent: false, timeout: LIMIT_MS }, (response) => {
      response.resume().once('end', () => resolve(performance.now() - begunAtMs))
    })
    request.once('error', reject).once('timeout', () => request.destroy(new Error(`no answer within ${LIMIT_MS / 1000} s`)))
  })
}

const show = ({ calmP99Ms, blockedP99Ms }: Rounds): string => `${median(calmP99Ms).toFixed(1)} → ${median(blockedP99Ms).toFixed(1)} ms`
