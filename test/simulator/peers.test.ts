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
    target = peer.decide({
      nowMs: second * 1000,
      ready,
      booting: [],
      target,
      min: 1,
      max: 1000,
      cpus: 1000,
      memoryBytes: 1e13,
      usedMemoryBytes: 0,
      ...rest,
    })
    if (second % 60 === 0) sizes.push(target)
  }
  return sizes
}

test('HPA: 80 to 10 with 10 % or 4 a minute, as in the documentation of Kubernetes: 8, then 8 (7.2 rounded up), 7, 6 … and 4 from 40 on', () => {
  const rules = [
    { type: 'percent', value: 10, periodMs: 60_000 },
    { type: 'pods', value: 4, periodMs: 60_000 },
  ] as const
  const peer = createHpa({ ...hpaDefaults, down: { rules, stabilizationMs: 0 } })
  // The load needs 10: each of n workers uses 10 × 0.7 / n.
  const sizes = steer(peer, 80, 16, (size) => ({ cpu: 7 / size }))
  expect(sizes).toEqual([72, 64, 57, 51, 45, 40, 36, 32, 28, 24, 20, 16, 12, 10, 10, 10])
})

const seenBy = { nowMs: 15_000, min: 1, max: 100, cpus: 100, memoryBytes: 1e13, usedMemoryBytes: 0, booting: [] }
const worker = (workerId: number, cpu: number | null, readyForMs = 1e9): PeerWorker => {
  return { workerId, readyForMs, cpu, eventLoopUtilization: 0.5, memoryBytes: 1e8 }
}
const workers = (...cpus: readonly (number | null)[]): PeerWorker[] => cpus.map((cpu, index) => worker(index, cpu))
const atOnce = { ...hpaDefaults, down: { ...hpaDefaults.down, stabilizationMs: 0 } }
/** What it makes of the first look at them. */
const hpaOf = (targetCpu: number, ready: readonly PeerWorker[], target = ready.length): number =>
  createHpa({ ...atOnce, targetCpu }).decide({ ...seenBy, ready, target })

test('HPA: 200m where 100m are wanted doubles, 50m halve, as in the documentation of Kubernetes', () => {
  expect(hpaOf(0.1, workers(0.2, 0.2, 0.2, 0.2))).toBe(8)
  expect(hpaOf(0.1, workers(0.05, 0.05, 0.05, 0.05))).toBe(2)
  // Rounded up.
  expect(hpaOf(0.1, workers(0.05, 0.05, 0.05))).toBe(2)
})

test('HPA: nothing within 10 % of the target on either side, and something beyond', () => {
  const ten = (cpu: number): number => hpaOf(0.7, workers(...Array.from({ length: 10 }, () => cpu)))
  expect([0.62, 0.64, 0.7, 0.76, 0.78].map(ten)).toEqual([9, 10, 10, 10, 12])
})

test('HPA: who has no metric counts as idle where it would grow, as fully used where it would shrink, and never turns the direction', () => {
  expect(hpaOf(0.7, workers(1.4, 1.4, 1.4))).toBe(6)
  // 4.2 cores over 4 workers: 1.5 times the target.
  expect(hpaOf(0.7, workers(1.4, 1.4, 1.4, null))).toBe(6)
  expect(hpaOf(0.7, workers(1.4, null, null, null))).toBe(4)
  expect(hpaOf(0.7, workers(0.1, 0.1))).toBe(1)
  // 0.2 and twice 0.7 of a core over 4 workers: 0.57 of the target.
  expect(hpaOf(0.7, workers(0.1, 0.1, null, null))).toBe(3)
  expect(hpaOf(0.7, workers(null, null))).toBe(2)
})

test('HPA: who is not ready for half a minute, or boots, counts as idle where it would grow, and not at all where it would shrink', () => {
  const young = worker(9, 1, 29_000)
  expect(hpaOf(0.7, workers(1, 1, 1))).toBe(5)
  // 3 cores over 4 workers: 1.07 times the target.
  expect(hpaOf(0.7, [...workers(1, 1, 1), young])).toBe(4)
  expect(hpaOf(0.7, workers(1, 1, 1), 4)).toBe(4)
  expect(hpaOf(0.7, [...workers(0.1, 0.1), young])).toBe(1)
  expect(hpaOf(0.7, [young])).toBe(1)
})

test('HPA: twice as many at once, or four more where that is more; five minutes before it shrinks', () => {
  expect(steer(createHpa(), 4, 1, (size) => ({ cpu: (4 * 1.4) / size }))).toEqual([8])
  expect(createHpa().decide({ ...seenBy, ready: workers(70), target: 1 })).toBe(5)
  expect(createHpa().decide({ ...seenBy, ready: workers(7, 7, 7, 7, 7), target: 5 })).toBe(10)
  expect(steer(createHpa(), 8, 7, (size) => ({ cpu: 1.4 / size }))).toEqual([8, 8, 8, 8, 8, 2, 2])
})

/** Second by second: what is online, of which each has used so much of a core. */
function pm2Of(online: readonly (readonly PeerWorker[])[], rest: Partial<PeerInput> = {}): number[] {
  const peer = createPm2Autoscale()
  return online.map((ready, index) => peer.decide({ ...seenBy, nowMs: (index + 1) * 1000, ready, target: ready.length, ...rest }) - ready.length)
}
const seconds = (count: number, online: readonly PeerWorker[]): (readonly PeerWorker[])[] => Array.from({ length: count }, () => online)
/** The seconds, from 1 on, in which it wants one more, or one less. */
const whenOf = (changes: readonly number[], change: 1 | -1): number[] => changes.flatMap((each, index) => (each === change ? [index + 1] : []))

test('pm2-autoscale: one more from 30 % of the busiest on, more than ten seconds apart', () => {
  expect(steer(createPm2Autoscale(), 1, 1, () => ({ cpu: 0.31 }))).toEqual([6])
  // Seen for the first time in second 1.
  expect(whenOf(pm2Of(seconds(13, workers(0.9, 0))), 1)).toEqual([12])
})

test('pm2-autoscale: its figures are whole per cent, of each process and of all', () => {
  expect([0.294, 0.295].map((cpu) => whenOf(pm2Of(seconds(12, workers(cpu))), 1).length)).toEqual([0, 1])
  expect([0.044, 0.045].map((cpu) => whenOf(pm2Of(seconds(1, workers(cpu, cpu))), -1).length)).toEqual([1, 0])
  // 4 % and 5 % are 4.5 %, which is rounded to 5 %.
  expect(whenOf(pm2Of(seconds(1, workers(0.044, 0.045))), -1)).toEqual([])
})

test('pm2-autoscale: the mean is of the newest thirty seconds', () => {
  expect(whenOf(pm2Of([...seconds(30, workers(0)), ...seconds(10, workers(1))]), 1)).toEqual([39])
  // What was before them is forgotten: nine busy seconds of thirty are 30 %, eight are not.
  expect(whenOf(pm2Of([...seconds(40, workers(1)), ...seconds(30, workers(0))]), 1).at(-1)).toBe(56)
})

test('pm2-autoscale: one less below 5 % in the mean, more than thirty seconds apart, counted from the last that went and not from one that came', () => {
  const [few, more] = [workers(0, 0, 0), [...workers(0, 0, 0), worker(7, 0)]]
  expect(whenOf(pm2Of(seconds(33, few)), -1)).toEqual([1, 32])
  expect(whenOf(pm2Of([...seconds(20, few), ...seconds(13, more)]), -1)).toEqual([1, 32])
  expect(whenOf(pm2Of([...seconds(20, more), ...seconds(32, few)]), -1)).toEqual([1, 52])
})

test('pm2-autoscale: one that went does not delay one more, one that came does', () => {
  const [few, more] = [workers(0.9), [...workers(0.9), worker(7, 0)]]
  expect(whenOf(pm2Of([...seconds(8, more), ...seconds(5, few)]), 1)).toEqual([12])
  expect(whenOf(pm2Of([...seconds(8, few), ...seconds(12, more)]), 1)).toEqual([20])
})

test('pm2-autoscale: it does not give back while one process is busy, unless it has as many as it may: cores but one', () => {
  const lopsided = workers(0.35, ...Array.from({ length: 20 }, () => 0))
  expect(whenOf(pm2Of(seconds(8, lopsided)), -1)).toEqual([])
  expect(whenOf(pm2Of(seconds(8, lopsided), { cpus: 22 }), -1)).toEqual([1])
  expect(steer(createPm2Autoscale(), 1, 5, () => ({ cpu: 0.9 }), { cpus: 4 })).toEqual([3, 3, 3, 3, 3])
  expect(steer(createPm2Autoscale(), 1, 1, () => ({ cpu: 0.9 }), { cpus: 1 })).toEqual([1])
})

test('pm2-autoscale: never fewer than it began with, and none more where free memory is no more than a process takes', () => {
  expect(steer(createPm2Autoscale(), 3, 3, () => ({ cpu: 0.04 }), { min: 2 })).toEqual([2, 2, 2])
  expect(steer(createPm2Autoscale(), 4, 1, () => ({ cpu: 0.2 }))).toEqual([4])
  const grownWith = (freeBytes: number): number => steer(createPm2Autoscale(), 1, 1, () => ({ cpu: 0.9 }), { memoryBytes: freeBytes }).at(-1) ?? 0
  // A process takes 100 MB.
  expect([grownWith(0.9e8), grownWith(1.1e8)]).toEqual([1, 6])
})

test('pm2-autoscale: a process counts from its fork on', () => {
  const peer = createPm2Autoscale()
  const decide = (second: number, booting: readonly PeerWorker[]): number =>
    peer.decide({ ...seenBy, nowMs: second * 1000, cpus: 3, ready: workers(0.9), booting, target: 1 + booting.length })
  for (let second = 1; second < 12; second++) expect(decide(second, [])).toBe(1)
  expect(decide(12, [])).toBe(2)
  // Two processes are all that three cores admit.
  for (let second = 13; second < 40; second++) expect(decide(second, [worker(7, 0.9)])).toBe(2)
})

test('Watt: one step each way by event-loop utilisation, 20 seconds apart; young workers do not count', () => {
  expect(steer(createWatt(), 1, 1, () => ({ eventLoopUtilization: 0.9 }))).toEqual([4])
  expect(steer(createWatt(), 4, 3, () => ({ eventLoopUtilization: 0.1 }))).toEqual([3, 2, 1])
  expect(steer(createWatt(), 2, 2, () => ({ eventLoopUtilization: 0.5 }))).toEqual([2, 2])
  expect(steer(createWatt(), 1, 1, () => ({ eventLoopUtilization: 0.9, readyForMs: 1000 }))).toEqual([1])
})

test('Watt: the twenty seconds begin when what it ordered is there', () => {
  const peer = createWatt()
  const hot = [{ ...worker(1, 1), eventLoopUtilization: 0.9 }]
  const decide = (second: number, target: number, booting: readonly PeerWorker[]): number =>
    peer.decide({ ...seenBy, nowMs: second * 1000, ready: hot, booting, target })
  expect(decide(1, 1, [])).toBe(2)
  for (let second = 2; second <= 30; second++) expect(decide(second, 2, [worker(7, 0)])).toBe(2)
  for (let second = 31; second < 51; second++) expect([second, decide(second, 2, [])]).toEqual([second, 2])
  expect(decide(51, 2, [])).toBe(3)
})

test('Watt: its memory reaches back 16.7 hours: a large worker of then is in the way of one more now', () => {
  const wanted = (hours: number): number => {
    const peer = createWatt()
    const decide = (minute: number, memoryBytes: number, eventLoopUtilization: number): number => {
      const ready = [{ ...worker(1, 0.5), memoryBytes, eventLoopUtilization }]
      return peer.decide({ ...seenBy, memoryBytes: 1e9, target: 1, nowMs: minute * 60_000, ready })
    }
    for (let minute = 0; minute < 60; minute++) decide(minute, 4e9, 0.5)
    for (let minute = 60; minute < hours * 60; minute++) decide(minute, 1e8, 0.5)
    return decide(hours * 60, 1e8, 0.9)
  }
  // An hour of 4 GB and two of 0.1 GB are 1.4 GB in the mean, of which 0.9 GB do not hold one more. 19 hours later that hour is forgotten.
  expect([wanted(3), wanted(19)]).toEqual([1, 2])
})
