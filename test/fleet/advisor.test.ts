import { expect, test } from 'vitest'
import type { PolicyFunction, PolicyInput } from '../../packages/supervisor/src/policy/advice.ts'
import { createAdvisor } from '../../packages/supervisor/src/fleet/advisor.ts'
import { reportOf, running } from '../fleet/driver.ts'

function advisorOf(policy: PolicyFunction | null) {
  const warnings: string[] = []
  const { fleet } = running(2).tick({ cpu: 0.4, report: reportOf({ queue: 7, signals: { jobs: 1 } }) })
  return { fleet, warnings, advise: createAdvisor({ policy, fleet: () => fleet, warn: (sentence) => void warnings.push(sentence) }) }
}

test('a policy is told sizes and signals, and what was decided last', () => {
  let told: PolicyInput | null = null
  const { advise, fleet } = advisorOf((input) => {
    told = input
    return 3
  })
  expect(advise()).toEqual({ workers: 3, reason: null })
  expect(told).toMatchObject({ nowMs: fleet.nowMs, workers: 2, ready: 2, min: 2, max: 10, signals: { cpu: 0.4, queue: 7, p95: 0 } })
  expect(told).toMatchObject({ decision: { from: 2, to: 2 } })
})

test('what it does to its copy changes nothing', () => {
  const { advise, fleet } = advisorOf((input) => {
    Object.assign(input, { workers: 99 })
    Object.assign(input.decision as object, { to: 99 })
    return null
  })
  const before = JSON.stringify(fleet)
  expect(advise()).toBeNull()
  expect(JSON.stringify(fleet)).toBe(before)
})

test('one that throws or answers nonsense is told of once until it is well again, and hurts nobody', () => {
  const answers: (() => unknown)[] = [
    () => {
      throw new Error('no data\nat all')
    },
    () => 'many',
    () => 4,
    () => Promise.reject(new Error('nobody listens')),
    () => {
      throw null
    },
  ]
  const { advise, warnings } = advisorOf((() => answers.shift()?.()) as PolicyFunction)
  expect([advise(), advise(), advise(), advise(), advise(), advise()]).toEqual([null, null, { workers: 4, reason: null }, null, null, null])
  expect(warnings).toEqual([
    'scaling.policy failed (Error: no data); the built-in policy decides until it answers a number of workers, or null.',
    'scaling.policy answered a promise; the built-in policy decides until it answers a number of workers, or null.',
  ])
})

test('without one nobody is asked', () => {
  expect(advisorOf(null).advise()).toBeNull()
})
