import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import type { LoadWish, Rate } from './load.ts'
import { cpuMsOf, cpuMsOfEndedChildren, familyOf } from './proc.ts'

const MARGIN_MS = 30_000

/** Null where Debian's package is not installed. */
export function findWrk(): 'wrk' | null {
  return spawnSync('wrk', ['--version']).error ? null : 'wrk'
}

/**
 * As `measureRate` does, by a client written in C: a new connection costs it 90 microseconds where one in JavaScript takes 120, and on a small machine
 * what clients use hides the differences between servers.
 */
export async function measureRateByWrk(
  serverPid: number,
  { port, connections = 64, keepAlive = true, warmUpMs = 0, durationMs }: LoadWish,
): Promise<Rate> {
  // It counts in whole seconds.
  const run = async (ms: number): Promise<string> => {
    const headers = keepAlive ? [] : ['--header', 'Connection: close']
    const args = ['--threads', '1', '--connections', String(connections), '--timeout', '10s', ...headers]
    const { stdout } = await promisify(execFile)('wrk', [...args, '--duration', `${Math.ceil(ms / 1000)}s`, `http://127.0.0.1:${port}/`], {
      timeout: ms + MARGIN_MS,
    })
    return stdout
  }
  if (warmUpMs > 0) await run(warmUpMs)
  const family = familyOf(serverPid)
  const [serverBeforeMs, ownBeforeMs] = [cpuMsOf(family), cpuMsOfEndedChildren()]
  const said = await run(durationMs)
  const [requests, elapsedMs] = countsOf(said)
  return {
    perSecond: (requests / elapsedMs) * 1000,
    failures: failuresOf(said),
    serverMicrosecondsPerRequest: ((cpuMsOf(family) - serverBeforeMs) / requests) * 1000,
    generatorCores: (cpuMsOfEndedChildren() - ownBeforeMs) / elapsedMs,
  }
}

function countsOf(said: string): [requests: number, elapsedMs: number] {
  const [, requests, seconds] = /(\d+) requests in ([\d.]+)s/.exec(said) ?? []
  if (requests === undefined || seconds === undefined) throw new Error(`wrk told of no requests: ${said}`)
  return [Number(requests), Number(seconds) * 1000]
}

function failuresOf(said: string): Record<string, number> {
  const failures: Record<string, number> = {}
  for (const [, how, count] of said.matchAll(/(connect|read|write|timeout) (\d+)/g)) if (Number(count) > 0) failures[how as string] = Number(count)
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(said)?.[1]
  return refused === undefined ? failures : { ...failures, status: Number(refused) }
}
