import type { ProcessExit } from './processes.ts'

/** Why a process ended, as far as it can be told from outside: `heap-oom`, `cgroup-oom`, or null. */
export function exitCause(signal: string | null, lastStderrLines: readonly string[], oomKillsRose: boolean): string | null {
  if (signal === 'SIGABRT' && lastStderrLines.some((line) => /JavaScript heap out of memory|Reached heap limit/.test(line))) return 'heap-oom'
  // The kernel's kill looks like anybody's; only its counter tells.
  return signal === 'SIGKILL' && oomKillsRose ? 'cgroup-oom' : null
}

type Exit = Pick<ProcessExit, 'signal' | 'lastStderrLines'>

export interface ExitCauses {
  causeOf(exit: Exit): Promise<string | null>
}

/** `oomKills` reads the container's count of processes that were killed for memory; the count now is what later ones are compared with. */
export function createExitCauses(oomKills: () => Promise<number | null>): ExitCauses {
  let known = oomKills()
  return {
    async causeOf({ signal, lastStderrLines }) {
      if (signal !== 'SIGKILL') return exitCause(signal, lastStderrLines, false)
      const before = (await known) ?? 0
      known = oomKills()
      return exitCause(signal, lastStderrLines, ((await known) ?? 0) > before)
    },
  }
}
