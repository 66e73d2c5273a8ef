import { execFileSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { within } from '../processes/harness/until.ts'
import { Fleet, type Foreign } from './harness/fleet.ts'
import { frame, handshake, payloadsHeard } from './harness/frames.ts'

/** No file more can be opened there until it is called back; the kernel then drops descriptors that are sent to it, too. */
async function withoutRoom(pid: number, use: () => Promise<void>): Promise<void> {
  const open = new Set((await readdir(`/proc/${pid}/fd`)).map(Number))
  let lowestFree = 0
  while (open.has(lowestFree)) lowestFree++
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${lowestFree}:4096`])
  await use()
  execFileSync('prlimit', ['--pid', String(pid), '--nofile=4096:4096'])
}

/** Who answers a WebSocket client of another worker; it says something, too. */
async function whoServes({ client, cookie }: Foreign): Promise<string | undefined> {
  client.say(handshake(cookie))
  await within('the answer to a handshake', client.hears('\r\n\r\n'), { instead: () => client.heard })
  expect(client.heard).toMatch(/^HTTP\/1.1 101/)
  client.socket.write(frame(Buffer.from('said')))
  await within('the echo', client.hears('said'), { instead: () => client.heard })
  client.socket.destroy()
  return payloadsHeard(client.heard)[0]?.toString()
}

describe.runIf(process.platform === 'linux')('an upgrade whose descriptor is lost on its way', () => {
  it('is served by whoever accepted it if the owner has no room for it', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const foreign = await fleet.foreign()
    await withoutRoom(await fleet.pidOf(foreign.owner), async () => expect(await whoServes(foreign)).toBe(foreign.acceptor))
    const later = await fleet.foreign()
    expect(await whoServes(later)).toBe(later.owner)
  })

  it('reaches its owner another way if the primary has no room for it', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const foreign = await fleet.foreign()
    await withoutRoom(fleet.station.pid, async () => expect(await whoServes(foreign)).toBe(foreign.owner))
    const later = await fleet.foreign()
    expect(await whoServes(later)).toBe(later.owner)
  })
})
