import { mkdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { readCapacity, readOomKills } from '../../packages/supervisor/src/primary/host.ts'
import { GIB, it, MIB, V1_MOUNTS, V2_MOUNT } from './machine-folder.ts'

const HOST = { cpus: 8, memoryBytes: 16 * GIB, source: 'host' }
/** What version 1 says where nothing is limited. */
const NO_LIMIT = '9223372036854771712\n'

describe('capacity', () => {
  it('is the machine where there is no control group', async ({ machine }) => {
    expect(await readCapacity(machine.root)).toEqual(HOST)
  })

  it('of this machine is no more than the system says it has', async () => {
    const capacity = await readCapacity()
    expect(capacity.cpus).toBeGreaterThan(0)
    expect(capacity.cpus).toBeLessThanOrEqual(os.cpus().length)
    expect(capacity.memoryBytes).toBeGreaterThan(0)
    expect(capacity.memoryBytes).toBeLessThanOrEqual(os.totalmem())
  })

  it('of a folder that is no machine is what Node knows', async ({ machine }) => {
    const capacity = await readCapacity(path.join(machine.root, 'nowhere'))
    expect(capacity).toEqual({ cpus: os.availableParallelism(), memoryBytes: os.totalmem(), source: 'host' })
  })

  it('version 2: the namespace of a container, a part of a core', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '0::/\n',
      'proc/self/mountinfo': V2_MOUNT,
      'sys/fs/cgroup/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/memory.max': `${512 * MIB}\n`,
    })
    expect(await readCapacity(machine.root)).toEqual({ cpus: 1.5, memoryBytes: 512 * MIB, source: 'cgroup2' })
  })

  it('version 2: the tightest of all ancestors counts, for each part on its own', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '0::/pod.slice/app.scope/inner\n',
      'proc/self/mountinfo': V2_MOUNT,
      'sys/fs/cgroup/pod.slice/cpu.max': '200000 100000\n',
      'sys/fs/cgroup/pod.slice/memory.max': `${2 * GIB}\n`,
      'sys/fs/cgroup/pod.slice/app.scope/cpu.max': '400000 100000\n',
      'sys/fs/cgroup/pod.slice/app.scope/memory.max': `${1 * GIB}\n`,
      'sys/fs/cgroup/pod.slice/app.scope/inner/cpu.max': 'max 100000\n',
      'sys/fs/cgroup/pod.slice/app.scope/inner/memory.max': 'max\n',
    })
    expect(await readCapacity(machine.root)).toEqual({ cpus: 2, memoryBytes: 1 * GIB, source: 'cgroup2' })
  })

  it('version 2 without limits is the machine', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '0::/app\n',
      'proc/self/mountinfo': V2_MOUNT,
      'sys/fs/cgroup/app/cpu.max': 'max 100000\n',
      'sys/fs/cgroup/app/memory.max': 'max\n',
    })
    expect(await readCapacity(machine.root)).toEqual(HOST)
  })

  it('takes a limit above the machine for none', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '0::/\n',
      'proc/self/mountinfo': V2_MOUNT,
      'sys/fs/cgroup/cpu.max': '6400000 100000\n',
      'sys/fs/cgroup/memory.max': `${64 * GIB}\n`,
    })
    expect(await readCapacity(machine.root)).toEqual(HOST)
  })

  it('takes each part from where it is limited', async ({ machine }) => {
    await machine.write({ 'proc/self/cgroup': '0::/\n', 'proc/self/mountinfo': V2_MOUNT, 'sys/fs/cgroup/cpu.max': '50000 100000\n' })
    expect(await readCapacity(machine.root)).toEqual({ cpus: 0.5, memoryBytes: 16 * GIB, source: 'cgroup2' })
  })

  it('knows the group of a mount that shows only a part of the tree', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '0::/docker/abc/inner\n',
      'proc/self/mountinfo': '30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
      'sys/fs/cgroup/inner/memory.max': `${256 * MIB}\n`,
    })
    expect(await readCapacity(machine.root)).toEqual({ cpus: 8, memoryBytes: 256 * MIB, source: 'cgroup2' })
  })

  it('asks the top of what it sees if its own group lies outside', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '0::/../other\n',
      'proc/self/mountinfo': V2_MOUNT,
      'sys/fs/cgroup/memory.max': `${256 * MIB}\n`,
      'sys/fs/other/memory.max': `${1 * MIB}\n`,
    })
    expect((await readCapacity(machine.root)).memoryBytes).toBe(256 * MIB)
  })

  it('finds the usual places without a list of mounts', async ({ machine }) => {
    await machine.write({ 'proc/self/cgroup': '0::/app\n', 'sys/fs/cgroup/app/cpu.max': '100000 100000\n' })
    expect(await readCapacity(machine.root)).toEqual({ cpus: 1, memoryBytes: 16 * GIB, source: 'cgroup2' })
  })

  it('version 1: quota and limit, wherever they are set', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n',
      'proc/self/mountinfo': V1_MOUNTS,
      'sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us': '250000\n',
      'sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': NO_LIMIT,
      'sys/fs/cgroup/memory/docker/memory.limit_in_bytes': `${3 * GIB}\n`,
      'sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT,
    })
    expect(await readCapacity(machine.root)).toEqual({ cpus: 2.5, memoryBytes: 3 * GIB, source: 'cgroup1' })
  })

  it('version 1 without limits is the machine', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '4:memory:/\n3:cpu,cpuacct:/\n',
      'proc/self/mountinfo': V1_MOUNTS,
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT,
    })
    expect(await readCapacity(machine.root)).toEqual(HOST)
  })

  it('hybrid: version 2 is mounted but limits nothing, version 1 does', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '4:memory:/app\n3:cpu,cpuacct:/app\n0::/app\n',
      'proc/self/mountinfo': `${V1_MOUNTS}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`,
      'sys/fs/cgroup/unified/app/cpu.stat': 'usage_usec 5\n',
      'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us': '100000\n',
      'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us': '50000\n',
      'sys/fs/cgroup/memory/app/memory.limit_in_bytes': `${1 * GIB}\n`,
    })
    expect(await readCapacity(machine.root)).toEqual({ cpus: 2, memoryBytes: 1 * GIB, source: 'cgroup1' })
  })

  it('counts only the CPUs it may run on', async ({ machine }) => {
    await machine.write({ 'proc/self/status': 'Cpus_allowed_list:\t0-1,5\n' })
    expect((await readCapacity(machine.root)).cpus).toBe(3)
  })

  const garbage = [
    '',
    '\n',
    'max',
    'max max',
    '-5 100000',
    '0 0',
    '100000 0',
    'NaN 100000',
    '1e9 100000',
    '\u0000\u0001',
    '100000',
    'x'.repeat(100_000),
  ]
  for (const text of garbage) {
    it(`falls through limits that read ${JSON.stringify(text.slice(0, 20))}`, async ({ machine }) => {
      await machine.write({
        'proc/self/cgroup': '4:memory:/app\n3:cpu,cpuacct:/app\n0::/app\n',
        'proc/self/mountinfo': V1_MOUNTS + V2_MOUNT,
        'sys/fs/cgroup/app/cpu.max': text,
        'sys/fs/cgroup/app/memory.max': `${text} x`,
        'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us': text,
        'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us': `${text} x`,
        'sys/fs/cgroup/memory/app/memory.limit_in_bytes': `${text} x`,
      })
      expect(await readCapacity(machine.root)).toEqual(HOST)
    })

    it(`falls through a list of groups and mounts that reads ${JSON.stringify(text.slice(0, 20))}`, async ({ machine }) => {
      await machine.write({ 'proc/self/cgroup': text, 'proc/self/mountinfo': text })
      expect(await readCapacity(machine.root)).toEqual(HOST)
    })
  }

  it('falls through files that cannot be read', async ({ machine }) => {
    await machine.write({ 'proc/self/cgroup': '0::/\n' })
    await mkdir(path.join(machine.root, 'sys/fs/cgroup/cpu.max'), { recursive: true })
    await mkdir(path.join(machine.root, 'sys/fs/cgroup/memory.max'), { recursive: true })
    await rm(path.join(machine.root, 'proc/meminfo'))
    expect(await readCapacity(machine.root)).toEqual({ cpus: 8, memoryBytes: os.totalmem(), source: 'host' })
  })
})

describe('kills for want of memory', () => {
  it('version 2', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '0::/app\n',
      'proc/self/mountinfo': V2_MOUNT,
      'sys/fs/cgroup/app/memory.events': 'low 0\nhigh 0\nmax 12\noom 4\noom_kill 3\noom_group_kill 0\n',
    })
    expect(await readOomKills(machine.root)).toBe(3)
  })

  it('version 1', async ({ machine }) => {
    await machine.write({
      'proc/self/cgroup': '4:memory:/app\n',
      'proc/self/mountinfo': V1_MOUNTS,
      'sys/fs/cgroup/memory/app/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
    })
    expect(await readOomKills(machine.root)).toBe(2)
  })

  it('are not known where nothing counts them', async ({ machine }) => {
    expect(await readOomKills(machine.root)).toBeNull()
  })
})
