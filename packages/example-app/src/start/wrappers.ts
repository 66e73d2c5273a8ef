import { basename } from 'node:path'
import { isAlive, listProcesses, type ProcessRow } from '../services/process-table.ts'

const checkEveryMs = 500

/**
 * npm and pnpm end on SIGTERM without a word to the script they run. So we look whether those above us still live, up to the command
 * that the user typed, and end as they do. Started by hand there is nothing above us to watch.
 */
export function watchWrappers(onGone: () => void): { stop(): void } {
  const wrappers = process.env['npm_lifecycle_event'] === undefined ? [] : wrappersAbove(process.ppid, listProcesses())
  const timer = setInterval(() => {
    if (wrappers.every(isAlive)) return
    clearInterval(timer)
    onGone()
  }, checkEveryMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

function wrappersAbove(pid: number, rows: readonly ProcessRow[]): number[] {
  const row = rows.find((each) => each.pid === pid)
  return row && isWrapper(row.command) ? [pid, ...wrappersAbove(row.parent, rows)] : []
}

/** Package managers, the `scripts/run.mjs` of this repository, and the shells in which they run scripts, but not the user's own shell. */
function isWrapper(command: string): boolean {
  const words = command.trim().split(' ')
  const isShell = /^(sh|dash|bash|ash|zsh)$/.test(basename(words[0] ?? '')) && words[1] === '-c'
  return isShell || words.slice(0, 2).some((word) => /^(npm|npx|pnpm|yarn)([-@.]|$)|^run\.mjs$/.test(basename(word)))
}
