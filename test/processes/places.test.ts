import { once } from 'node:events'
import { mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import { until } from './harness/until.ts'

describe('a port that somebody else has', () => {
  it('ends the supervisor with 1, and the message names who has it', async ({ stage }) => {
    const place = await stage.place()
    const holder = net.createServer().listen(place.port)
    await once(holder, 'listening')
    const station = await stage.launch({ app: 'plain' }, place)
    expect(await station.ends()).toEqual({ code: 1, signal: null })
    holder.close()
    const { msg } = await station.noted('fleet:stopped')
    expect(msg).toContain(`Cannot listen on port ${place.port}: it is in use by `)
    expect(msg).toContain(`(pid ${process.pid}). End that process, or choose another port.`)
  })

  it('is waited for while its holder is about to go', async ({ stage }) => {
    const place = await stage.place()
    const holder = net.createServer().listen(place.port)
    await once(holder, 'listening')
    const station = await stage.launch({ app: 'plain' }, place)
    await station.until('workers that boot', ({ workers }) => workers.length === 2 && workers.every(({ pid }) => pid !== null))
    holder.close()
    await station.running(2)
    expect((await station.status())?.restarts.total).toBe(0)
  })
})

describe('the control socket', () => {
  it('is refused to a second supervisor while the first lives, which is not disturbed', async ({ stage }) => {
    const place = await stage.place()
    const first = await stage.launch({ app: 'plain' }, place)
    const before = (await first.running(2)).map(({ pid }) => pid)
    const second = await stage.launch({ app: 'plain' }, { ...place, port: place.port + 1 })
    const { code } = await second.ends()
    expect(code).toBe(2)
    const sentences = `${second.stdout}${second.stderr}`.trim().split('\n')
    expect(sentences).toHaveLength(1)
    expect(sentences[0]).toContain(first.socket)
    expect(sentences[0]).toContain(`pid ${first.pid}`)
    expect((await first.running(2)).map(({ pid }) => pid)).toEqual(before)
    first.signal('SIGTERM')
    expect(await first.ends()).toEqual({ code: 0, signal: null })
  })

  it('is not taken from a file that is no socket', async ({ stage }) => {
    const place = await stage.place()
    const file = path.join(place.folder, 'control.sock')
    await mkdir(place.folder, { recursive: true })
    await writeFile(file, 'dear diary')
    const station = await stage.launch({ app: 'plain' }, place)
    const { code } = await station.ends()
    expect(code).toBe(2)
    expect(`${station.stdout}${station.stderr}`).toContain(file)
    expect(await readFile(file, 'utf8')).toBe('dear diary')
    await unlink(file)
  })
})

describe('stdout', () => {
  it('may be closed: the fleet goes on, and ends in order', async ({ stage }) => {
    const station = await stage.start({ app: 'chatty' })
    station.process.stdout?.destroy()
    const load = stage.load(station, 8)
    await load.answers(2000)
    await station.control.scale(3)
    await load.everyoneAnswered()
    await load.stop()
    expect(load.summary()).toBe('none')
    expect((await station.running(3)).length).toBe(3)
    expect((await station.status())?.restarts.total).toBe(0)
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
  })

  it('and stderr may be a pipe that nobody reads: the fleet goes on', async ({ stage }) => {
    const station = await stage.start({ app: 'chatty' })
    station.process.stdout?.pause()
    station.process.stderr?.pause()
    const load = stage.load(station, 8)
    await load.answers(2000)
    await load.stop()
    expect(load.summary()).toBe('none')
    station.process.stdout?.resume()
    station.process.stderr?.resume()
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
  })

  it('tells how much of the stderr of workers was lost while nobody read it', async ({ stage }) => {
    const station = await stage.start({ app: 'loud' })
    station.process.stderr?.pause()
    const load = stage.load(station, 4)
    await load.answers(100)
    await load.stop()
    station.process.stderr?.resume()
    const sentence = /^\d+ KB that workers wrote to stderr were dropped, because nobody read/
    await until('a line that tells', () => station.notes().find(({ msg }) => sentence.test(msg)), { instead: () => station.stdout })
    expect(station.notes().filter(({ msg }) => sentence.test(msg))).toHaveLength(1)
  })

  it('as in `start … | head -1`', async ({ stage }) => {
    const station = await stage.launch({ app: 'plain', through: (command) => ['sh', '-c', `"$@" | head -1`, 'sh', ...command] })
    await station.running(2)
    const supervisor = (await station.status())?.pid as number
    await station.control.reload()
    expect(Number(await station.get())).toBeGreaterThan(0)
    process.kill(supervisor, 'SIGTERM')
    await until('the end of the supervisor', async () => (await stage.alive()).length === 0)
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(station.stdout.trim().split('\n')).toHaveLength(1)
  })
})
