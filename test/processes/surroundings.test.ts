import { execFileSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'

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
