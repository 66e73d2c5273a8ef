import { readFile, readdir, readlink } from 'node:fs/promises'

/** Who listens on a TCP port, as `node server.js (pid 4711)`; null where that cannot be found out. */
export async function findPortHolder(port: number, procFolder = '/proc'): Promise<string | null> {
  const [pid] = await findListeners(port, procFolder)
  if (pid === undefined) return null
  const command = await readFile(`${procFolder}/${pid}/cmdline`, 'utf8').catch(() => '')
  return `${command.replaceAll('\0', ' ').trim().slice(0, 120) || 'a process'} (pid ${pid})`
}

/** The processes that have a listening socket on this TCP port, as far as we may see. */
export async function findListeners(port: number, procFolder = '/proc'): Promise<number[]> {
  const inodes = new Set<string>()
  for (const table of ['net/tcp', 'net/tcp6']) {
    for (const inode of listeningInodes(await readFile(`${procFolder}/${table}`, 'utf8').catch(() => ''), port)) inodes.add(inode)
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

async function holdsAny(folder: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await readdir(folder).catch(() => [])) {
    const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`${folder}/${fd}`).catch(() => ''))?.[1]
    if (inode && inodes.has(inode)) return true
  }
  return false
}
