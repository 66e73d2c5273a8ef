import { expect } from 'vitest'
import { createUsageReader } from '../../packages/supervisor/src/primary/host.ts'
import { GIB, it, MIB, V1_MOUNTS, V2_MOUNT } from './machine-folder.ts'

const LIMITED_V2 = {
  'proc/self/cgroup': '0::/pod/app\n',
  'proc/self/mountinfo': V2_MOUNT,
  'sys/fs/cgroup/pod/cpu.max': '200000 100000\n',
  'sys/fs/cgroup/pod/memory.max': `${1 * GIB}\n`,
  'sys/fs/cgroup/pod/memory.current': `${700 * MIB}\n`,
  'sys/fs/cgroup/pod/memory.stat': `anon 5\ninactive_file ${200 * MIB}\nactive_file 7\n`,
  'sys/fs/cgroup/pod/cpu.stat': 'usage_usec 1000000\nuser_usec 1\n',
  'sys/fs/cgroup/pod/app/memory.current': `${1 * MIB}\n`,
  'sys/fs/cgroup/pod/app/cpu.stat': 'usage_usec 1\n',
}

it('version 2: asks the group that limits, and leaves out what can be given back', async ({ machine }) => {
  await machine.write(LIMITED_V2)
  const usage = createUsageReader(machine.root)
  expect(await usage.read()).toEqual({ cpus: null, memoryBytes: 500 * MIB })

  await machine.write({ 'sys/fs/cgroup/pod/cpu.stat': 'usage_usec 1000000\n' })
  expect((await usage.read()).cpus).toBe(0)
  await machine.write({ 'sys/fs/cgroup/pod/cpu.stat': 'usage_usec 900000000\n' })
  expect((await usage.read()).cpus).toBeGreaterThan(0)
})

it('a counter that went back or away gives no number, and the next one is right again', async ({ machine }) => {
  await machine.write(LIMITED_V2)
  const usage = createUsageReader(machine.root)
  await usage.read()
  await machine.write({ 'sys/fs/cgroup/pod/cpu.stat': 'usage_usec 5\n' })
  expect((await usage.read()).cpus).toBeNull()
  await machine.write({ 'sys/fs/cgroup/pod/cpu.stat': 'garbage' })
  expect((await usage.read()).cpus).toBeNull()
  await machine.write({ 'sys/fs/cgroup/pod/cpu.stat': 'usage_usec 10\n' })
  expect((await usage.read()).cpus).toBeNull()
  expect((await usage.read()).cpus).toBe(0)
})

it('version 1, with the accounts mounted apart from the limits', async ({ machine }) => {
  await machine.write({
    'proc/self/cgroup': '4:memory:/app\n3:cpu:/app\n2:cpuacct:/app\n',
    'proc/self/mountinfo':
      '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n' +
      '32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n',
    'sys/fs/cgroup/cpu/app/cpu.cfs_quota_us': '100000\n',
    'sys/fs/cgroup/cpu/app/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/cpuacct/app/cpuacct.usage': '5000000000\n',
    'sys/fs/cgroup/memory/app/memory.limit_in_bytes': `${1 * GIB}\n`,
    'sys/fs/cgroup/memory/app/memory.usage_in_bytes': `${300 * MIB}\n`,
    'sys/fs/cgroup/memory/app/memory.stat': `inactive_file 1\ntotal_inactive_file ${100 * MIB}\n`,
  })
  const usage = createUsageReader(machine.root)
  expect(await usage.read()).toEqual({ cpus: null, memoryBytes: 200 * MIB })
  expect((await usage.read()).cpus).toBe(0)
})

it('version 1, mounted together', async ({ machine }) => {
  await machine.write({
    'proc/self/cgroup': '3:cpu,cpuacct:/app\n',
    'proc/self/mountinfo': V1_MOUNTS,
    'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us': '100000\n',
    'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/cpu,cpuacct/app/cpuacct.usage': '5000000000\n',
  })
  const usage = createUsageReader(machine.root)
  await usage.read()
  expect((await usage.read()).cpus).toBe(0)
})

it('without limits the machine is asked, and of it only the CPUs this process may use', async ({ machine }) => {
  const stat = (first: number, second: number) => `cpu  9 9 9 9\ncpu0 ${first} 0 0 70 0 0 0 0 0 0\ncpu1 ${second} 0 0 70 0 0 0 0 0 0\nintr 5 0\n`
  await machine.write({ 'proc/self/status': 'Cpus_allowed_list:\t1\n', 'proc/stat': stat(10, 10) })
  const usage = createUsageReader(machine.root)
  expect(await usage.read()).toEqual({ cpus: null, memoryBytes: 4 * GIB })
  await machine.write({ 'proc/stat': stat(90_000, 10) })
  expect((await usage.read()).cpus).toBe(0)
  await machine.write({ 'proc/stat': stat(90_000, 20) })
  expect((await usage.read()).cpus).toBeGreaterThan(0)
})

it('memory that nobody tells of is not known, not 0', async ({ machine }) => {
  await machine.write({ ...LIMITED_V2, 'sys/fs/cgroup/pod/memory.current': 'garbage\n', 'sys/fs/cgroup/pod/cpu.stat': '' })
  expect(await createUsageReader(machine.root).read()).toEqual({ cpus: null, memoryBytes: null })
})

it('of this machine: something is in use', async () => {
  const usage = createUsageReader()
  const first = await usage.read()
  expect(first.cpus).toBeNull()
  expect(first.memoryBytes).toBeGreaterThan(1 * MIB)
  expect((await usage.read()).cpus).toBeGreaterThanOrEqual(0)
})
