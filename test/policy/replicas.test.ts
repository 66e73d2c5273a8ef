import { expect, test } from 'vitest'
import {
  type ReplicaInput,
  type ReplicaState,
  type ReplicaTotals,
  decideReplicas,
  oneReplica,
  wantedWorkers,
} from '../../packages/supervisor/src/policy/replicas.ts'
import { signalsOf } from './policy.ts'
import { defaultScaling } from './settings.ts'

/** Replicas that carry four workers each. */
const MOST = 4
const calls = (...wanted: (number | null)[]): ReplicaTotals[] => wanted.map((each) => ({ wanted: each, most: MOST, needs: null }))

/** The policy at work, a tick a second. */
class Replicas {
  state: ReplicaState = oneReplica
  nowMs = 0
  readonly said: [atS: number, needs: number][] = []

  for(seconds: number, totals: readonly ReplicaTotals[], fields: Partial<ReplicaInput> = {}): this {
    for (let tick = 0; tick < seconds; tick++) {
      this.nowMs += 1000
      const before = this.state
      this.state = decideReplicas(before, { nowMs: this.nowMs, intervalMs: 1000, totals, limit: null, elected: null, ...fields }, defaultScaling)
      if (this.state.needs !== before.needs) this.said.push([this.nowMs / 1000, this.state.needs])
    }
    return this
  }
}

test('load that one replica carries needs no other, however long it lasts', () => {
  expect(new Replicas().for(3600, calls(MOST)).said).toEqual([])
})

test('load beyond it for ten seconds needs as many as carry it, said once', () => {
  const { said, state } = new Replicas().for(9, calls(MOST)).for(600, calls(7))
  expect(said).toEqual([[19, 2]])
  expect(state.reason).toBe('the load calls for 7 workers, and a replica carries 4 workers')
})

test('one loud tick needs nothing', () => {
  expect(new Replicas().for(100, calls(3)).for(1, calls(9)).for(100, calls(3)).said).toEqual([])
})

test('totals count, not the loudest: what the others have room for needs no other replica', () => {
  expect(new Replicas().for(300, calls(6, 1, 1)).said).toEqual([[1, 3]])
  expect(new Replicas().for(300, calls(6, 5, 5)).said).toEqual([
    [1, 3],
    [61, 4],
  ])
})

test('at most double at once, and after a cooldown again', () => {
  const { said } = new Replicas().for(10, calls(20)).for(100, calls(10, 10))
  expect(said[0]).toEqual([10, 2])
  // Two are there from the eleventh second on: the cooldown begins anew, since they had no time to help.
  expect(said[1]).toEqual([71, 4])
})

test('fewer would do once one fewer is well below its thresholds for the whole window and cooldown; one at a time', () => {
  const { said, state } = new Replicas().for(1, calls(3, 3, 3)).for(1500, calls(1, 1, 1))
  // 3 workers fill more than 70 % of one replica, and not of two.
  expect(said).toEqual([
    [1, 3],
    [301, 2],
  ])
  expect(state.have).toBe(3)
})

test('what one replica does not know forbids fewer, and counts as idle for more', () => {
  expect(new Replicas().for(1, calls(1, 1)).for(2000, calls(1, null)).said).toEqual([[1, 2]])
  expect(new Replicas().for(1, calls(1, 1)).for(100, calls(7, null)).said).toEqual([[1, 2]])
})

test('replicas that come and go without a word are followed, not judged', () => {
  const { said } = new Replicas()
    .for(10, calls(2))
    .for(60, calls(1, 1, 1, 1))
    .for(60, calls(2, 2))
  expect(said.map(([, needs]) => needs)).toEqual([4, 2])
})

test('replicas that are missed for a moment, as after a flush of Redis, change nothing; they are gone after half a minute', () => {
  const { said, state } = new Replicas()
    .for(60, calls(2, 2, 2))
    .for(29, calls(2))
    .for(60, calls(2, 2, 2))
    .for(30, calls(2, 2))
  expect(said).toEqual([[1, 3]])
  expect(state.have).toBe(3)
  expect(new Replicas().for(60, calls(2, 2, 2)).for(40, calls(2, 2)).state).toMatchObject({ have: 2, needs: 2 })
})

test('a word that was not followed stays until the load no longer calls for it', () => {
  const { said } = new Replicas().for(200, calls(7)).for(400, calls(1))
  expect(said).toEqual([
    [10, 2],
    [500, 1],
  ])
})

test('no more than the database budget is for, and why', () => {
  const replicas = new Replicas().for(100, calls(4, 4)).for(200, calls(9, 9), { limit: 3 })
  expect(replicas.state.needs).toBe(3)
  expect(replicas.state.reason).toContain('4 would be right, but database.budget is for 3 (database.replicas)')
})

test('who is not elected says what the elected one says', () => {
  const { state } = new Replicas().for(5, calls(9, 9), { elected: { id: 'a', needs: 5 } })
  expect(state).toMatchObject({ needs: 5, have: 2, reason: 'so says replica a' })
})

test("what the load calls for: the policy's own answer above the thresholds, below them the part that is used", () => {
  const { up } = defaultScaling
  const low = { cpu: 0.35, queue: 10, eventLoopUtilization: 0.2 }
  expect(wantedWorkers(signalsOf(low), { wanted: 7, from: 4 }, up, 4)).toBe(7)
  expect(wantedWorkers(signalsOf(low), { wanted: 4, from: 4 }, up, 4)).toBe(2)
  expect(wantedWorkers(signalsOf({ ...low, cpu: 0.9 }), { wanted: 4, from: 4 }, up, 4)).toBe(4)
  expect(wantedWorkers(signalsOf({ ...low, cpu: null }), { wanted: 4, from: 4 }, up, 4)).toBe(null)
  expect(wantedWorkers(signalsOf(low), { wanted: 4, from: 4 }, {}, 4)).toBe(null)
})
