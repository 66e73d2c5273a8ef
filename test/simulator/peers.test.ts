import { expect, test } from 'vitest'
import { createHpa, hpaDefaults } from '../../packages/supervisor/src/simulator/peer-hpa.ts'
import { createPm2Autoscale } from '../../packages/supervisor/src/simulator/peer-pm2.ts'
import { createWatt } from '../../packages/supervisor/src/simulator/peer-watt.ts'
import type { Peer, PeerInput, PeerWorker } from '../../packages/supervisor/src/simulator/peer.ts'

/** Lets a peer steer `workers` of which each shows `load` per worker, once a second, and tells its size after each minute. */
function steer(peer: Peer, from: number, minutes: number, worker: (size: number) => Partial<PeerWorker>, rest: Partial<PeerInput> = {}): number[] {
  const sizes: number[] = []
  let [target, first] = [from, 0]
  for (let second = 1; second <= minutes * 60; second++) {
    const ready = Array.from(
      { length: target },
      (_, index): PeerWorker => ({
        workerId: first + index,
        readyForMs: 1e9,
        cpu: 0.1,
        eventLoopUtilization: 0.1,
        memoryBytes: 1e8,
        ...worker(target),
      }),
    )
    target = peer.decide({ nowMs: second * 1000, ready, target, min: 1, max: 1000, cpus: 1000, memoryBytes: 1e13, usedMemoryBytes: 0, ...rest })
    if (second % 60 === 0) sizes.push(target)
  }
  return sizes
}

test('HPA: 80 to 10 with 10 % or 4 a minute, as in the documentation of Kubernetes: 8, then 8, 7, 6 … and 4 below 40', () => {
  const rules = [
    { type: 'percent', value: 10, periodMs: 60_000 },
    { type: 'pods', value: 4, periodMs: 60_000 },
  ] as const
  const peer = createHpa({ ...hpaDefaults, down: { rules, stabilizationMs: 0 } })
  // The load needs 10: each of n workers uses 10 × 0.7 / n.
  const sizes = steer(peer, 80, 12, (size) => ({ cpu: 7 / size }))
  expect(sizes.slice(0, 3)).toEqual([72, 64, 57])
  const steps = sizes.slice(1).map((size, index) => (sizes[index] as number) - size)
  for (const [index, step] of steps.entries()) if ((sizes[index] as number) <= 40) expect(step).toBeLessThanOrEqual(4)
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(10)
})

test('HPA: ceil(ready × current / target) at once up, nothing within 10 %, five minutes before it shrinks', () => {
  expect(steer(createHpa(), 4, 1, (size) => ({ cpu: (4 * 1.4) / size }))).toEqual([8])
  expect(steer(createHpa(), 4, 1, () => ({ cpu: 0.76 }))).toEqual([4])
  expect(steer(createHpa(), 8, 7, (size) => ({ cpu: 1.4 / size }))).toEqual([8, 8, 8, 8, 8, 2, 2])
})

const worker = (workerId: number, cpu: number | null): PeerWorker => ({ workerId, readyForMs: 1e9, cpu, eventLoopUtilization: 0.5, memoryBytes: 1e8 })

test('HPA: a worker whose metric is missing counts as idle where it would grow', () => {
  const seen = { nowMs: 15_000, target: 2, min: 1, max: 10, cpus: 8, memoryBytes: 1e9, usedMemoryBytes: 0 }
  expect(createHpa().decide({ ...seen, ready: [worker(1, 0.9), worker(2, 0.9)] })).toBe(3)
  expect(createHpa().decide({ ...seen, ready: [worker(1, 0.9), worker(2, null)] })).toBe(2)
})

test('pm2-autoscale: one more from 30 % of the busiest on, ten seconds apart; one less below 5 %; never more than cores but one', () => {
  expect(steer(createPm2Autoscale(), 1, 1, () => ({ cpu: 0.31 }))).toEqual([6])
  expect(steer(createPm2Autoscale(), 1, 5, () => ({ cpu: 0.9 }), { cpus: 4 })).toEqual([3, 3, 3, 3, 3])
  expect(steer(createPm2Autoscale(), 4, 1, () => ({ cpu: 0.04 }))).toEqual([3])
  expect(steer(createPm2Autoscale(), 4, 1, () => ({ cpu: 0.2 }))).toEqual([4])
  expect(steer(createPm2Autoscale(), 1, 1, () => ({ cpu: 0.9 }), { memoryBytes: 1e9, usedMemoryBytes: 9.5e8 })).toEqual([1])
})

test('Watt: one step each way by event-loop utilisation, 20 seconds apart; young workers do not count', () => {
  expect(steer(createWatt(), 1, 1, () => ({ eventLoopUtilization: 0.9 }))).toEqual([4])
  expect(steer(createWatt(), 4, 2, () => ({ eventLoopUtilization: 0.1 }))).toEqual([3, 2])
  expect(steer(createWatt(), 2, 2, () => ({ eventLoopUtilization: 0.5 }))).toEqual([2, 2])
  expect(steer(createWatt(), 1, 1, () => ({ eventLoopUtilization: 0.9, readyForMs: 1000 }))).toEqual([1])
})
