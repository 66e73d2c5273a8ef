import { fileURLToPath } from 'node:url'
import type { LoadMessage, LoadOrder, LoadReport } from '../loads/messages.ts'
import { cpuMsOf, familyOf } from './proc.ts'
import { end, start } from './processes.ts'
import { within } from './wait.ts'

const GENERATOR = fileURLToPath(new URL('../loads/generate.ts', import.meta.url))
const MARGIN_MS = 30_000
/** 28,000 connections each before ports run out, with those still in TIME_WAIT. */
const HOSTS = Array.from({ length: 16 }, (_, index) => `127.0.0.${index + 1}`)

export type LoadWish = Partial<LoadOrder> & Pick<LoadOrder, 'port' | 'durationMs'>

export interface Load {
  /** Resolves when the warm-up is over. */
  readonly begun: Promise<void>
  /** When a process answered that was not among `knownPids`, since counting began. */
  readonly newcomerAfterMs: Promise<number>
  readonly report: Promise<LoadReport>
  stop(): void
}

/** A load from a process of its own, bounded in time. */
export function startLoad(wish: LoadWish): Load {
  const order: LoadOrder = { hosts: HOSTS, path: '/', connections: 64, keepAlive: true, warmUpMs: 0, minRequests: 0, knownPids: [], ...wish }
  const generator = start(GENERATOR, [JSON.stringify(order)])
  const begun = Promise.withResolvers<void>()
  const newcomer = Promise.withResolvers<number>()
  const report = Promise.withResolvers<LoadReport>()
  generator.process.on('message', (message: LoadMessage) => {
    if (message.kind === 'begun') begun.resolve()
    else if (message.kind === 'newcomer') newcomer.resolve(message.afterMs)
    else report.resolve(message)
  })
  generator.process.on('exit', () => {
    const error = new Error(`a load generator ended early: ${generator.lastOutput()}`)
    for (const promise of [begun, newcomer, report]) promise.reject(error)
  })
  for (const { promise } of [begun, newcomer, report] as const) (promise as Promise<unknown>).catch(() => {})
  const limitMs = order.warmUpMs + order.durationMs + MARGIN_MS
  return {
    begun: begun.promise,
    newcomerAfterMs: newcomer.promise,
    report: within('the report of a load generator', limitMs, report.promise).finally(() => end(generator)),
    stop: () => generator.process.send('stop'),
  }
}

export interface Rate {
  readonly perSecond: number
  readonly failures: Readonly<Record<string, number>>
  /** CPU time of all processes of the server, per request. */
  readonly serverMicrosecondsPerRequest: number
  /** CPU of the generator, in cores: near 1 it may itself be the limit. */
  readonly generatorCores: number
}

/** One load from beginning to end, and what it cost the server that began with this pid. */
export async function measureRate(serverPid: number, wish: LoadWish): Promise<Rate> {
  const load = startLoad(wish)
  await load.begun
  const family = familyOf(serverPid)
  const cpuBeforeMs = cpuMsOf(family)
  const { requests, elapsedMs, failures, cpuMs } = await load.report
  const serverCpuMs = cpuMsOf(family) - cpuBeforeMs
  return {
    perSecond: (requests / elapsedMs) * 1000,
    failures,
    serverMicrosecondsPerRequest: (serverCpuMs / requests) * 1000,
    generatorCores: cpuMs / elapsedMs,
  }
}
