import { setTimeout as sleep } from 'node:timers/promises'
import type { DrainHook, Endable } from './clean-up.ts'
import { CleanUp } from './clean-up.ts'

/** Without a supervisor nobody sets a deadline: a developer who presses Ctrl-C does not wait longer than this. */
const HOOKS_MS = 5000
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

let cleanUp: CleanUp | null = null

/** Runs drain hooks and ends pools on SIGINT and SIGTERM in a process of its own, so that an app behaves the same in development. */
export function onOwnShutdown(hook: DrainHook): void {
  theCleanUp().addHook(hook)
}

export function endOnOwnShutdown(pool: Endable): void {
  theCleanUp().addPool(pool)
}

function theCleanUp(): CleanUp {
  if (cleanUp) return cleanUp
  cleanUp = new CleanUp()
  for (const signal of SIGNALS) process.once(signal, shutDown)
  return cleanUp
}

function shutDown(signal: NodeJS.Signals): void {
  for (const other of SIGNALS) process.removeListener(other, shutDown) // a second Ctrl-C is not held up
  const isOurs = process.listenerCount(signal) === 0
  const endAtMs = performance.now() + HOOKS_MS
  const remainingMs = (): number => endAtMs - performance.now()
  const cleaned = (cleanUp as CleanUp).runHooks(remainingMs).then(() => (isOurs ? cleanUp?.endPools(remainingMs) : undefined))
  // An app with a listener of its own decides by itself when to exit, and ends its pools.
  void Promise.race([cleaned, sleep(HOOKS_MS)]).then(() => isOurs && process.kill(process.pid, signal))
}
