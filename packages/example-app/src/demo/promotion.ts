import { setTimeout as sleep } from 'node:timers/promises'
import { startHttpLoad } from '../load/http-load.ts'
import type { Control, WorkerStatus } from './control.ts'

/** How long it took from the wish for one more worker to the first answer from it. */
export type Promotion = { readonly kind: 'spare' | 'cold start'; readonly worker: number; readonly ms: number }

const timeoutMs = 20_000
const pollMs = 20

/**
 * Asks for two workers more than there are: the first comes from the spare that waits, the other has to be started. Meanwhile every
 * request is a new client, so that a new worker is seen as soon as it serves.
 */
export async function measurePromotions(control: Control, url: string, isOver: () => boolean): Promise<Promotion[]> {
  const before = await waitForSpare(control, isOver)
  if (!before) return []
  const known = new Set(before.filter((worker) => worker.state !== 'spare').map((worker) => String(worker.id)))
  const spares = new Set(before.filter((worker) => worker.state === 'spare').map((worker) => String(worker.id)))
  const load = startHttpLoad({ url, connections: 20, ratePerSecond: 100, path: '/health', requestsPerConnection: 1, seconds: 60 })
  const ready = before.filter((worker) => worker.state === 'ready').length
  const startedAtMs = Date.now()
  await control.scale(ready + 2)
  const newcomers = (): [string, number][] => Object.entries(load.stats().firstAnswerAtMs).filter(([worker]) => !known.has(worker))
  while (newcomers().length < 2 && Date.now() - startedAtMs < timeoutMs && !isOver()) await sleep(pollMs)
  await load.stop()
  return newcomers().map(([worker, atMs]) => ({
    kind: spares.has(worker) ? 'spare' : 'cold start',
    worker: Number(worker),
    ms: atMs - startedAtMs,
  }))
}

async function waitForSpare(control: Control, isOver: () => boolean): Promise<readonly WorkerStatus[] | null> {
  const end = Date.now() + timeoutMs
  while (Date.now() < end && !isOver()) {
    const workers = (await control.status())?.workers ?? []
    if (workers.some((worker) => worker.state === 'spare')) return workers
    await sleep(pollMs * 5)
  }
  return null
}
