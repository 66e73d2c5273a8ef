import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { VirtualSockets } from '../../packages/supervisor/src/simulator/sockets.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { calmScenario, simulate } from './runs.ts'

const folder = path.join(import.meta.dirname, '../../packages/supervisor/scenarios')
const scenarioOf = (name: string) => readScenario(readFileSync(path.join(folder, name), 'utf8'), name).scenario

test('the worker that has the sessions is not the one that goes', () => {
  const { world, broken, turns } = simulate(fleetSettings({ workers: { min: 2 } }), scenarioOf('one-worker-hot.json'), 1_800_000)
  const drained = turns.flatMap(({ commands }) => commands.flatMap((command) => (command.kind === 'drain' ? [command.workerId] : [])))
  expect(broken).toEqual([])
  expect(drained.length).toBeGreaterThan(0)
  expect(drained).not.toContain(1)
  expect(world.fleet.workers.find(({ id }) => id === 1)?.life.kind).toBe('ready')
})

test('clients of a worker that drains are with the others afterwards, and the drain ends before its time', () => {
  const sockets = { perRequest: 1, staysMs: 1e9, memoryBytes: 1000, cpuMsPerSecond: 0 }
  const load = [
    { atMs: 0, requestsPerSecond: 50 },
    { atMs: 60_000, requestsPerSecond: 0, step: true },
  ]
  const requests = [{ atMs: 70_000, event: { kind: 'drainRequested', requestId: 1, workerId: 1 } }] as const
  const settings = fleetSettings({ workers: { min: 2 }, drain: { timeoutMs: 30_000 } })
  const { world, broken, turns } = simulate(settings, { ...calmScenario, load, sockets, requests }, 120_000)
  const socketsAt = (atMs: number): number => {
    const turn = turns.findLast((each) => each.event.kind === 'sampled' && each.atMs <= atMs)
    return (turn?.fleet.workers ?? []).reduce((sum, { report }) => sum + (report?.sockets ?? 0), 0)
  }
  expect(broken).toEqual([])
  expect(socketsAt(69_000)).toBeGreaterThan(1000)
  expect(socketsAt(120_000)).toBe(socketsAt(69_000))
  expect(world.fleet.workers.some(({ id }) => id === 1)).toBe(false)
  expect(turns.some(({ commands }) => commands.some(({ kind }) => kind === 'kill'))).toBe(false)
  expect(turns.at(-1)?.ledger.cut).toBe(0)
})

test('sockets: opened in the part of requests, gone by the mean of their stay', () => {
  const sockets = new VirtualSockets({ perRequest: 0.25, staysMs: 10_000, memoryBytes: 10, cpuMsPerSecond: 2 })
  for (let request = 0; request < 400; request++) sockets.greet(1)
  expect(sockets).toMatchObject({ open: 100, memoryBytes: 1000 })
  expect(sockets.wantsMs(500)).toBe(100)
  for (let second = 0; second < 10; second++) expect(sockets.pass(1000, false)).toBe(0)
  expect(sockets.open).toBeGreaterThan(30)
  expect(sockets.open).toBeLessThan(42)
})
