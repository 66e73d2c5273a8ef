import { execFileSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import type { Station } from './harness/station.ts'
import { until } from './harness/until.ts'

/** What `npm start` looks like from below: it takes its command line for a title. */
const AS_NPM = `
  process.title = 'npm start'
  require('node:child_process').spawn(process.argv[1], process.argv.slice(2), { stdio: 'inherit' })
`

describe('a supervisor that is short of descriptors', () => {
  const limitTo = (pid: number, limit: number): void => {
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:4096`])
  }

  it('tells it before a fork fails, and once', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const limit = (await readdir(`/proc/${station.pid}/fd`)).length + 1
    limitTo(station.pid, limit)
    const { msg } = await station.noted('fleet:warning')
    expect(msg).toMatch(new RegExp(`has (\\d+ of the ${limit}|all of the) file descriptors open that it may have`))
    limitTo(station.pid, 4096)
    expect(station.notes('fleet:warning')).toHaveLength(1)
  })

  it('tells it too when there is none left to count them with', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    limitTo(station.pid, 3)
    const { msg } = await station.noted('fleet:warning')
    expect(msg).toMatch(/has all of the file descriptors open that it may have/)
    limitTo(station.pid, 4096)
  })
})

describe('a wrapper around the supervisor', () => {
  const told = /^stationmaster was started through (\w+), which may not pass SIGTERM on/

  it.for([
    ['sh', ['sh', '-c', '"$@"; exit $?', 'sh']],
    ['npm', [process.execPath, '-e', AS_NPM]],
  ] as const)('is told of at the start: %s', async ([name, wrapper], { stage }) => {
    const station = await stage.launch({ app: 'plain', through: (command) => [...wrapper, ...command] })
    await station.running(2)
    expect(station.notes().flatMap(({ msg }) => told.exec(msg)?.[1] ?? [])).toEqual([name])
    process.kill((await station.until('its pid', ({ pid }) => ({ pid }))).pid, 'SIGTERM')
    await station.ends()
  })

  it('that is none is not told of', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    expect(station.notes().filter(({ msg }) => told.test(msg))).toEqual([])
  })
})

describe('the place in the fleet that a worker finds in its environment', () => {
  /** Waits until each of the workers has told its place, and that is the one the status knows. */
  async function tellTheirPlaces(station: Station, workers: number): Promise<void> {
    const { id: replicaId } = await station.until('the name of the replica', ({ replica }) => replica)
    const known = (await station.running(workers)).map(({ id, slot, generation }) => [id, slot, generation].map(String))
    const told = (): string[][] => [...station.stdout.matchAll(/^PLACE (.*)$/gm)].map(([, place = '']) => JSON.parse(place) as string[])
    const ofThem = (): string[][] => told().filter(([id]) => known.some(([other]) => other === id))
    await until('the places of all workers', () => ofThem().length === workers, { instead: () => station.told() })
    expect(new Set(ofThem().map(String))).toEqual(new Set(known.map((place) => String([...place, replicaId]))))
  }

  it('is the one that the status shows, and the successor of one that died has its slot', async ({ stage }) => {
    const station = await stage.start({ app: 'tells-its-place' })
    await tellTheirPlaces(station, 2)
    const slots = async (): Promise<number[]> => (await station.running(2)).map(({ slot }) => slot).toSorted((a, b) => a - b)
    expect(await slots()).toEqual([0, 1])
    const victim = (await station.running(2)).find(({ slot }) => slot === 0)
    process.kill(victim?.pid as number, 'SIGKILL')
    await station.noted('worker:exited')
    await tellTheirPlaces(station, 2)
    expect(await slots()).toEqual([0, 1])
    await station.control.reload()
    await tellTheirPlaces(station, 2)
    expect(await slots()).toEqual([0, 1])
    await station.control.scale(4)
    await tellTheirPlaces(station, 4)
    expect((await station.running(4)).map(({ slot }) => slot).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
  })

  it("has the platform's name of the replica where it gives one", async ({ stage }) => {
    const station = await stage.start({ app: 'tells-its-place', env: { RAILWAY_REPLICA_ID: 'c0ffee', RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '40' } })
    expect((await station.status())?.replica.id).toBe('c0ffee')
    await tellTheirPlaces(station, 2)
  })
})
