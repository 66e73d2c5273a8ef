import { readFile, readdir, readlink } from 'node:fs/promises'
import path from 'node:path'

/** Who has a TCP port or a Unix path, as `node server.js (pid 4711)`; null where that cannot be found out. */
export async function findPortHolder(place: number | string, procFolder = '/proc'): Promise<string | null> {
  const [pid] = await findListeners(place, procFolder)
  if (pid === undefined) return null
  const command = await readFile(`${procFolder}/${pid}/cmdline`, 'utf8').catch(() => '')
  return `${command.replaceAll('\0', ' ').trim().slice(0, 120) || 'a process'} (pid ${pid})`
}

/** The processes that listen on this TCP port, or have bound this Unix path, as far as we may see. */
export async function findListeners(place: number | string, procFolder = '/proc'): Promise<number[]> {
  const inodes = new Set<string>()
  for (const table of typeof place === 'number' ? ['net/tcp', 'net/tcp6'] : ['net/unix']) {
    const text = await readFile(`${procFolder}/${table}`, 'utf8').catch(() => '')
    for (const inode of typeof place === 'number' ? listeningInodes(text, place) : boundInodes(text, place)) inodes.add(inode)
  }
  const found: number[] = []
  if (inodes.size === 0) return found
  for (const pid of await readdir(procFolder).catch(() => [])) {
    if (/^\d+$/.test(pid) && (await holdsAny(`${procFolder}/${pid}/fd`, inodes))) found.push(Number(pid))
  }
  return found
}

function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    // Fields: number, local address, remote address, state (0A = LISTEN) … inode is the tenth.
    return fields[1]?.endsWith(suffix) && fields[3] === '0A' && fields[9] ? [fields[9]] : []
  })
}

/** Without the connections that were accepted there (state 03), which wear the same path. */
function boundInodes(table: string, file: string): string[] {
  return table.split('\n').flatMap((line) => {
    // Fields: address, count, protocol, flags, type, state (01 = not connected), inode, and the path as it was given to bind().
    const [, state, inode, bound] = /^\S+ \S+ \S+ \S+ \S+ (\S+) +(\d+) (.+)$/.exec(line) ?? []
    return state === '01' && inode && bound && path.resolve(bound) === path.resolve(file) ? [inode] : []
  })
}

async function holdsAny(folder: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await readdir(folder).catch(() => [])) {
    const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`${folder}/${fd}`).catch(() => ''))?.[1]
    if (inode && inodes.has(inode)) return true
  }
  return false
}
