import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'vitest'

export const MIB = 1024 * 1024
export const GIB = 1024 * MIB

export interface MachineFolder {
  readonly root: string
  write(files: Readonly<Record<string, string>>): Promise<void>
}

/** Eight CPUs, 16 GiB of memory, 12 GiB of it to be had. */
const MACHINE: Readonly<Record<string, string>> = {
  'proc/self/status': 'Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n',
  'proc/meminfo': `MemTotal:       ${(16 * GIB) / 1024} kB\nMemFree:        1024 kB\nMemAvailable:   ${(12 * GIB) / 1024} kB\n`,
}

export const V2_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n'
export const V1_MOUNTS =
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n' +
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n'

/** A folder that looks like the root of a machine, gone after the test. */
export const it = test.extend<{ machine: MachineFolder }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  machine: async ({}, use) => {
    const root = await mkdtemp(path.join(tmpdir(), 'stationmaster-machine-'))
    const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
      for (const [name, text] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(root, name)), { recursive: true })
        await writeFile(path.join(root, name), text)
      }
    }
    await write(MACHINE)
    await use({ root, write })
    await rm(root, { recursive: true, force: true })
  },
})
