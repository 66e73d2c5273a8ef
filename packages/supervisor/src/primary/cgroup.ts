import { readFileSync } from 'node:fs'
import path from 'node:path'

export type Version = 'cgroup2' | 'cgroup1'

/** The control groups of this process in one hierarchy. */
export interface Hierarchy {
  readonly version: Version
  /** Own group first, then its ancestors up to the mount point: every one of them may limit. */
  readonly folders: readonly string[]
}

export interface Hierarchies {
  readonly unified: Hierarchy | null
  /** By controller (`cpu`, `cpuacct`, `memory`); each may be mounted on its own, and beside the unified one. */
  readonly controllers: ReadonlyMap<string, Hierarchy>
}

interface Mount {
  readonly version: Version
  readonly point: string
  /** The group that the mount point shows; not `/` in a container without a cgroup namespace. */
  readonly shownGroup: string
  readonly options: readonly string[]
}

/**
 * The text of a small file of the kernel's, or an empty one if it cannot be read: what is not there limits nothing. The kernel
 * answers from memory; going through the thread pool would cost several times what the answer costs, at every tick.
 */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Finds the groups of this process below `root`, which holds `proc` and `sys`. */
export function findHierarchies(root: string): Hierarchies {
  const groups = readText(path.join(root, 'proc/self/cgroup'))
  const mounts = parseMounts(readText(path.join(root, 'proc/self/mountinfo')))
  let unified: Hierarchy | null = null
  const controllers = new Map<string, Hierarchy>()
  for (const line of groups.split('\n')) {
    // hierarchy-id:controllers:path, and the path may hold colons.
    const [, names, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (names === undefined || group === undefined) continue
    if (names === '') unified = hierarchyOf(root, mounts.find(({ version }) => version === 'cgroup2') ?? defaultMount('cgroup2'), group)
    for (const name of names.split(',').filter(Boolean)) {
      const mount = mounts.find(({ version, options }) => version === 'cgroup1' && options.includes(name)) ?? defaultMount('cgroup1', name)
      controllers.set(name, hierarchyOf(root, mount, group))
    }
  }
  return { unified, controllers }
}

const defaultMount = (version: Version, controller = ''): Mount => ({
  version,
  point: path.posix.join('/sys/fs/cgroup', controller),
  shownGroup: '/',
  options: [],
})

/** A line reads `31 23 0:28 /group /mount/point rw,… [optional…] - fstype source super,options`. */
function parseMounts(mountInfo: string): Mount[] {
  return mountInfo.split('\n').flatMap((line): Mount[] => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , shownGroup, point] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    if (shownGroup === undefined || point === undefined || (type !== 'cgroup2' && type !== 'cgroup')) return []
    return [{ version: type === 'cgroup2' ? 'cgroup2' : 'cgroup1', point, shownGroup, options: options.split(',') }]
  })
}

function hierarchyOf(root: string, mount: Mount, group: string): Hierarchy {
  const top = path.join(root, mount.point)
  const names = namesBelow(mount.shownGroup, group)
  const folders = names.map((_, index) => path.join(top, ...names.slice(0, names.length - index)))
  return { version: mount.version, folders: [...folders, top] }
}

/** The way from the group that the mount shows to the own one; none if the own one lies outside of what is shown. */
function namesBelow(shownGroup: string, group: string): string[] {
  const shown = shownGroup.split('/').filter(Boolean)
  const own = group.split('/').filter(Boolean)
  const inside = shown.every((name, index) => own[index] === name)
  const names = inside ? own.slice(shown.length) : own
  return names.includes('..') ? [] : names
}
