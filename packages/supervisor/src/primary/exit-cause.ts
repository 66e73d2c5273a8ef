/** Why a process ended, as far as it can be told from outside: `heap-oom`, `cgroup-oom`, or null. */
export function exitCause(signal: string | null, lastStderrLines: readonly string[], oomKillsRose: boolean): string | null {
  if (signal === 'SIGABRT' && lastStderrLines.some((line) => /JavaScript heap out of memory|Reached heap limit/.test(line))) return 'heap-oom'
  // The kernel's kill looks like anybody's; only its counter tells.
  return signal === 'SIGKILL' && oomKillsRose ? 'cgroup-oom' : null
}
