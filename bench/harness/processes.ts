import { type ChildProcess, spawn } from 'node:child_process'
import { familyOf, isAlive } from './proc.ts'
import { until } from './wait.ts'

export interface Started {
  readonly process: ChildProcess
  readonly pid: number
  /** The last of what it wrote, for the sentence that says why it failed. */
  lastOutput(): string
}

const OUTPUT_KEPT = 4000
const END_LIMIT_MS = 15_000
const running = new Set<Started>()
let isClosed = false
const cleanUps = new Set<() => Promise<void>>()

/** Starts a Node program with an IPC channel; `endAll` ends it whatever happens. */
export function start(file: string, args: readonly string[], options: { env?: Record<string, string>; cwd?: string } = {}): Started {
  if (isClosed) throw new Error('interrupted')
  const child = spawn(process.execPath, [file, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, NODE_ENV: 'production', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_KEPT)
    })
  const started: Started = { process: child, pid: child.pid ?? -1, lastOutput: () => output }
  running.add(started)
  child.on('exit', () => running.delete(started))
  child.on('error', () => running.delete(started))
  return started
}

/** Asks with SIGTERM, waits, then kills it and all that it started. */
export async function end(started: Started): Promise<void> {
  const family = familyOf(started.pid)
  started.process.kill('SIGTERM')
  const gone = until('the end of a process', END_LIMIT_MS, () => (family.some(isAlive) ? null : true))
  await gone.catch(() => {
    for (const pid of family) if (isAlive(pid)) killQuietly(pid)
  })
}

/** Makes a clean-up run once: when it is called, or at `endAll` if nobody did. */
export function onceAtEnd(cleanUp: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null
  const once = (): Promise<void> => {
    cleanUps.delete(once)
    done ??= cleanUp()
    return done
  }
  cleanUps.add(once)
  return once
}

export async function endAll(): Promise<void> {
  await Promise.allSettled([...cleanUps].map((cleanUp) => cleanUp()))
  await Promise.all([...running].map(end))
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself meanwhile.
  }
}

/** As `endAll`, and nothing can be started any more. */
export async function closeDown(): Promise<void> {
  isClosed = true
  await endAll()
}
