import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Search, Searched } from '../simulator/fuzz.ts'

/** Beside the bundle, or beside this folder where the sources themselves run. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? '../fuzz-thread.ts' : './fuzz-thread.js', import.meta.url)

/** Searches seeds on all cores; of several that break a rule the lowest is told. */
export async function fuzzOnAllCores({ base, first, count }: Omit<Search, 'stride'>): Promise<Searched> {
  const threads = Math.max(1, Math.min(availableParallelism(), count))
  const shares = Array.from({ length: threads }, (_, index): Search => ({ base, first: first + index, count: count - index, stride: threads }))
  const results = await Promise.all(shares.map(searchInThread))
  const found = results.flatMap((result) => result.found ?? []).sort((a, b) => a.seed - b.seed)
  const sum = (of: (result: Searched) => number): number => results.reduce((total, result) => total + of(result), 0)
  return { seeds: sum(({ seeds }) => seeds), steps: sum(({ steps }) => steps), found: found[0] ?? null }
}

async function searchInThread(search: Search): Promise<Searched> {
  const thread = new Worker(THREAD, { workerData: search })
  const [result] = (await once(thread, 'message')) as [Searched]
  await once(thread, 'exit')
  return result
}
