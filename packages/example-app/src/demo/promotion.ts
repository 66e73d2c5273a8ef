import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlClient, Status } from 'stationmaster'
import { type Stats, startHttpLoad } from '../load.ts'

/** How long it took from the wish for one more worker to the first request that it answered. */
export type Promotion = { readonly kind: 'spare' | 'cold start'; readonly ms: number }

export type Promotions = { readonly promotions: readonly Promotion[]; readonly stats: Stats }

const rounds = 3
const probesPerSecond = 200
const timeoutMs = 20_000
const pollMs = 20

/**
 * Asks for two workers more than there are: the first is the spare that waits, the other has to be started. Meanwhile every request
 * comes from a new client, so that a new worker is seen as soon as it serves.
 */
export async function measurePromotions(control: ControlClient, url: string, isOver: () => boolean): Promise<Promotions> {
  const load = startHttpLoad({ url, connections: 20, ratePerSecond: probesPerSecond, path: '/health', requestsPerConnection: 1, seconds: 120 })
  const waitFor = async <T>(look: () => Promise<T | null>): Promise<T | null> => {
    const end = performance.now() + timeoutMs
    for (let found = await look(); ; found = await look()) {
      if (found !== null || performance.now() > end || isOver()) return found
      await sleep(pollMs)
    }
  }
  const round = async (): Promise<Promotion[]> => {
    const before = await waitFor(async () => restingWithSpare(await control.status()))
    if (!before) return []
    const serving = idsOf(before, 'ready')
    const spares = idsOf(before, 'spare')
    const askedAtMs = Date.now()
    // Answered when both are ready; a worker that was promoted serves long before.
    const scaled = control.scale(serving.size + 2)
    const newcomers = await waitFor(async () => {
      const found = Object.entries(load.stats().firstAnswerAtMs).filter(([worker, atMs]) => atMs >= askedAtMs && !serving.has(worker))
      return found.length >= 2 ? found : null
    })
    await scaled
    await control.scale(serving.size)
    return (newcomers ?? []).map(([worker, atMs]) => ({ kind: spares.has(worker) ? 'spare' : 'cold start', ms: atMs - askedAtMs }))
  }
  const promotions: Promotion[] = []
  try {
    for (let count = 0; count < rounds && !isOver(); count++) promotions.push(...(await round()))
    load.setRate(0)
    await waitFor(async () => (load.stats().inFlight === 0 ? true : null))
  } catch (error) {
    await load.stop()
    throw error
  }
  return { promotions, stats: await load.stop() }
}

/** A fleet in which nobody comes or goes, and a spare waits. */
function restingWithSpare(status: Status): Status | null {
  const isResting = status.workers.every((worker) => worker.state === 'ready' || worker.state === 'spare')
  return isResting && status.fleet.spares > 0 ? status : null
}

function idsOf({ workers }: Status, state: 'ready' | 'spare'): Set<string> {
  return new Set(workers.filter((worker) => worker.state === state).map((worker) => String(worker.id)))
}
