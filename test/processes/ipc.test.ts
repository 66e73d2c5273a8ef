import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import type { Station } from './harness/station.ts'

/** The fleet is whole, the other worker is the one it was, and the primary still takes orders. */
async function isWell(station: Station, untouched: number): Promise<void> {
  const workers = await station.running(2)
  expect(workers.map(({ pid }) => pid)).toContain(untouched)
  expect(station.ended).toBe(null)
  await station.control.scale(3)
  await station.running(3)
  expect(station.notes('supervisor:bug')).toEqual([])
}

async function misbehave(station: Station, how: string): Promise<{ culprit: number; untouched: number }> {
  const pids = (await station.running(2)).map(({ pid }) => pid as number)
  const culprit = Number(await station.get(how))
  return { culprit, untouched: pids.find((pid) => pid !== culprit) as number }
}

describe('garbage on the IPC channel', () => {
  for (const how of ['/raw-text', '/raw-length', '/raw-noise']) {
    it(`in raw bytes: the worker that wrote it is replaced, nobody else (${how})`, async ({ stage }) => {
      const station = await stage.start({ app: 'garbage-ipc', config: { health: { stuckAfter: '2s' }, drain: { timeout: '1s' } } })
      const { culprit, untouched } = await misbehave(station, how)
      await station.until('the culprit gone', ({ workers }) => workers.every(({ pid }) => pid !== culprit))
      await isWell(station, untouched)
    })
  }

  it('in messages that look like ours: told once, and nothing comes of it', async ({ stage }) => {
    const station = await stage.start({ app: 'garbage-ipc' })
    const { culprit, untouched } = await misbehave(station, '/forged-ours')
    const warnings = await station.noted('fleet:warning')
    expect(warnings.msg).toMatch(/^A message of worker \d was not understood/)
    await isWell(station, untouched)
    expect(await station.get('/forged-ours')).toBeTruthy()
    await station.running(3)
    expect((await station.status())?.workers.map(({ pid }) => pid)).toContain(culprit)
    expect(station.notes('fleet:warning').length).toBeLessThanOrEqual(3)
  })

  it("in messages that look like node:cluster's: the primary survives", async ({ stage }) => {
    const station = await stage.start({ app: 'garbage-ipc', config: { health: { stuckAfter: '2s' }, drain: { timeout: '1s' } } })
    const { untouched } = await misbehave(station, '/forged-cluster')
    await isWell(station, untouched)
  })

  it("in messages of the app's own: they are nobody's business", async ({ stage }) => {
    const station = await stage.start({ app: 'garbage-ipc' })
    const { culprit, untouched } = await misbehave(station, '/foreign')
    await isWell(station, untouched)
    expect((await station.status())?.workers.map(({ pid }) => pid)).toContain(culprit)
    expect(station.notes('fleet:warning')).toEqual([])
  })
})

describe('a worker that drops its IPC channel', () => {
  it('goes in order, and is replaced', async ({ stage }) => {
    const station = await stage.start({ app: 'garbage-ipc', config: { health: { stuckAfter: '2s' } } })
    const { culprit, untouched } = await misbehave(station, '/disconnect')
    await station.until('the culprit gone', ({ workers }) => workers.every(({ pid }) => pid !== culprit))
    await isWell(station, untouched)
    expect(station.notes('worker:exited')).toMatchObject([{ expected: false }])
  })
})
