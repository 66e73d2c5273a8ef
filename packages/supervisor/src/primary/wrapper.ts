import { readFileSync } from 'node:fs'
import path from 'node:path'

/** A sentence about what keeps a platform's signals from us; null where nothing does. At a terminal Ctrl-C reaches all processes anyway. */
export function wrapperWarning(): string | null {
  const wrapper = wrapperAbove(process.ppid, '/proc')
  const instead = 'node node_modules/stationmaster/dist/cli.js start'
  return (
    wrapper &&
    `stationmaster was started through ${wrapper}, which may not pass SIGTERM on, so that nothing drains; as the start command use: ${instead}`
  )
}

/**
 * What stands between us and whoever started us, and may keep signals to itself: a package manager, or a shell that runs a command or a
 * script. A shell at a keyboard is none. Null if there is nothing of the kind.
 */
function wrapperAbove(parentPid: number, procFolder: string): string | null {
  // A package manager that gives itself a title puts all its words into the first argument.
  const words = commandOf(parentPid, procFolder).flatMap((argument, index) => (index === 0 ? argument.split(' ') : [argument]))
  const [name = '', second = ''] = words.map((word) => path.basename(word))
  if (/^(sh|dash|bash|ash|zsh|ksh)$/.test(name)) return isInteractive(words.slice(1)) ? null : name
  return managerIn(name) ?? managerIn(second)
}

/** Shells that were given neither a command nor a script ask for one. */
const isInteractive = (rest: readonly string[]): boolean => rest.every((word) => word === '' || (/^[-+]/.test(word) && !/^-\w*c/.test(word)))

const managerIn = (word: string): string | null => /^(npm|npx|pnpm|pnpx|yarn)(?=$|[-.])/.exec(word)?.[1] ?? null

function commandOf(pid: number, procFolder: string): string[] {
  try {
    return readFileSync(`${procFolder}/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch {
    return []
  }
}
