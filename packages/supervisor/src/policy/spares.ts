import { USABLE_MEMORY_SHARE, bytesPerWorker } from './capacity.ts'
import type { Capacity, Usage } from './sample.ts'

/** With `auto`, a spare is started only where memory is roomy; between here and the usable share the one that is there may stay. */
const ROOMY_MEMORY_SHARE = 0.75

export interface SpareInput {
  readonly setting: 'auto' | number
  readonly capacity: Capacity
  readonly usage: Usage
  /** Resident memory of each process that is known. */
  readonly memoryBytes: readonly number[]
  /** Spares that exist now; their memory is in use already. */
  readonly existing: number
}

/**
 * How many spares to keep. A process that only waits costs no CPU, so only memory can forbid it. What is not known (no usage yet)
 * neither starts a spare nor ends one.
 */
export function wantedSpares({ setting, capacity, usage, memoryBytes, existing }: SpareInput): number {
  const wish = setting === 'auto' ? 1 : setting
  const usedBytes = usage.memoryBytes
  if (usedBytes === null || !Number.isFinite(usedBytes)) return Math.min(existing, wish)
  const roomBelow = (share: number): number => Math.floor((capacity.memoryBytes * share - usedBytes) / bytesPerWorker(memoryBytes))
  const mayStay = existing + Math.min(0, roomBelow(USABLE_MEMORY_SHARE))
  const mayStart = existing + Math.max(0, roomBelow(setting === 'auto' ? ROOMY_MEMORY_SHARE : USABLE_MEMORY_SHARE))
  return Math.max(0, Math.min(wish, mayStay < existing ? mayStay : mayStart))
}
