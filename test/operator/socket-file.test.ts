import { chmod, mkdir, readdir, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import { describe, expect, vi } from 'vitest'
import { get, it } from './harness.ts'

const there = async (file: string): Promise<boolean> =>
  await stat(file).then(
    () => true,
    () => false,
  )

/** A process that listens on the path, announces it, and is then killed, so that its socket stays behind. */
async function leaveStaleSocket(file: string): Promise<void> {
  const source = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => console.log('listening'))`
  const holder = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  holder.kill('SIGKILL')
  await once(holder, 'exit')
}

describe('the socket', () => {
  it('is for its owner alone, and so is a folder made for it', async ({ world }) => {
    const file = path.join(world.folder, 'new', 'deep', 'control.sock')
    const mask = process.umask(0)
    try {
      await world.open(file)
      expect(process.umask()).toBe(0)
    } finally {
      process.umask(mask)
    }
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    for (const folder of [path.dirname(file), path.dirname(path.dirname(file))]) expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect(await readdir(path.dirname(file))).toEqual(['control.sock'])
  })

  it('leaves the mode of a folder that was there', async ({ world }) => {
    const folder = path.join(world.folder, 'mine')
    await mkdir(folder)
    await chmod(folder, 0o755)
    await world.open(path.join(folder, 'control.sock'))
    expect((await stat(folder)).mode & 0o777).toBe(0o755)
  })

  it('is removed at close', async ({ world }) => {
    const server = await world.open()
    expect(await there(world.path)).toBe(true)
    await server.close()
    expect(await readdir(world.folder)).toEqual([])
    await server.close()
  })

  it('is made anew when somebody has removed it, with its folder or alone', async ({ world }) => {
    const file = path.join(world.folder, 'new', 'control.sock')
    const server = await world.open(file)
    for (const removed of [file, path.dirname(file)]) {
      await rm(removed, { recursive: true })
      await vi.waitFor(async () => expect(await there(file)).toBe(true), { timeout: 10_000 })
      expect((await get(file, '/v1/status')).status).toBe(200)
      expect((await stat(file)).mode & 0o777).toBe(0o600)
    }
    await server.close()
    expect(await readdir(path.dirname(file))).toEqual([])
  }, 30_000)

  it('stays at close when it is no longer ours', async ({ world }) => {
    const server = await world.open()
    await unlink(world.path)
    await world.open()
    await server.close()
    expect((await get(world.path, '/v1/status')).status).toBe(200)
  })

  it('replaces one that nobody answers on any more', async ({ world }) => {
    await leaveStaleSocket(world.path)
    expect(await there(world.path)).toBe(true)
    await world.open()
    expect((await get(world.path, '/v1/status')).status).toBe(200)
  })
})

describe('refused, and left as it was:', () => {
  it('a path where a supervisor lives, with its pid', async ({ world }) => {
    await world.open()
    await expect(world.open()).rejects.toMatchObject({ code: 'SM_CONTROL_BUSY', message: expect.stringContaining(`(pid ${process.pid})`) })
    expect((await get(world.path, '/v1/status')).status).toBe(200)
  })

  it('a path where something else lives that never answers', async ({ world }) => {
    const held = new Set<net.Socket>()
    const other = net.createServer((socket) => held.add(socket)).listen(world.path)
    await once(other, 'listening')
    await expect(world.open()).rejects.toMatchObject({ code: 'SM_CONTROL_BUSY', message: expect.stringMatching(/^Another supervisor listens/) })
    expect(await there(world.path)).toBe(true)
    for (const socket of held) socket.destroy()
    await new Promise((resolve) => other.close(resolve))
  })

  it.for(['nothing', 'a stale socket'] as const)('all but one of several that start at the same moment where %s is', async (there, { world }) => {
    // Each round frees an inode, which the system likes to give away again at once.
    for (let round = 0; round < 10; round++) {
      if (there === 'a stale socket') await leaveStaleSocket(world.path)
      const results = await Promise.allSettled([world.open(), world.open(), world.open(), world.open()])
      const won = results.filter((result) => result.status === 'fulfilled')
      expect(won).toHaveLength(1)
      for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'SM_CONTROL_BUSY' })
      expect((await get(world.path, '/v1/status')).status).toBe(200)
      expect(await readdir(world.folder)).toEqual(['control.sock'])
      await won[0]?.value.close()
    }
  })

  it('a regular file', async ({ world }) => {
    await writeFile(world.path, 'precious')
    await expect(world.open()).rejects.toMatchObject({ code: 'SM_OPTION_INVALID', message: expect.stringContaining('no socket') })
    expect((await stat(world.path)).size).toBe(8)
  })

  it('a symbolic link, even to a socket of ours', async ({ world }) => {
    const target = path.join(world.folder, 'target.sock')
    await leaveStaleSocket(target)
    await symlink(target, world.path)
    await expect(world.open()).rejects.toMatchObject({ message: expect.stringContaining('symbolic link') })
    expect(await there(target)).toBe(true)
  })

  it("another user's socket, even one that nobody answers on", async ({ world }) => {
    await leaveStaleSocket(world.path)
    const user = vi.spyOn(process, 'getuid').mockReturnValue(4711)
    try {
      await expect(world.open()).rejects.toMatchObject({ code: 'SM_OPTION_INVALID', message: expect.stringContaining('belongs to user') })
    } finally {
      user.mockRestore()
    }
    expect(await there(world.path)).toBe(true)
  })

  it('a path that is too long, before anything is made', async ({ world }) => {
    const file = path.join(world.folder, 'x'.repeat(110), 'control.sock')
    await expect(world.open(file)).rejects.toMatchObject({
      code: 'SM_OPTION_INVALID',
      message: expect.stringMatching(/takes \d+ bytes and the system allows 107/),
    })
    expect(await readdir(world.folder)).toEqual([])
  })

  it('a folder that cannot be made', async ({ world }) => {
    await writeFile(path.join(world.folder, 'file'), '')
    await expect(world.open(path.join(world.folder, 'file', 'control.sock'))).rejects.toMatchObject({
      message: expect.stringContaining('cannot be made'),
    })
  })
})

it('works at the longest path the system allows', async ({ world }) => {
  const room = 107 - Buffer.byteLength(world.folder) - '/'.length
  const file = path.join(world.folder, 'x'.repeat(room))
  expect(Buffer.byteLength(file)).toBe(107)
  await world.open(file)
  expect((await get(file, '/v1/status')).status).toBe(200)
})
