import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Processes } from './processes.ts'

/** A stuck worker answers its inspector within milliseconds or, if it hangs in native code or is stopped, never. */
const ANSWER_MS = 3000
/** A report is some 100 KB; more than this is not one. */
const LARGEST_REPORT_CHARACTERS = 16 * 1024 * 1024

export interface Patient {
  readonly workerId: number
  readonly pid: number
  /** Sends SIGUSR1, at which Node opens its inspector in a thread of its own, and says where on stderr. */
  openInspector(): void
  /** Calls back for what the worker writes to stderr; returns the way to end that. */
  onStderr(listener: (text: string) => void): () => void
}

/** Null if this worker has no process any more. */
export function patientOf(workerId: number, processes: Processes): Patient | null {
  const pid = processes.pid(workerId)
  if (pid === null) return null
  return {
    workerId,
    pid,
    openInspector: () => processes.kill(workerId, 'SIGUSR1'),
    onStderr: (listener) => processes.onStderr(workerId, listener),
  }
}

interface Paused {
  readonly callFrames: readonly { readonly callFrameId: string }[]
}

/**
 * Interrupts a worker whose event loop is stuck in JavaScript, and has it write down its diagnostic report there and then: the stack in
 * it is the code that does not return. Resolves with the path of the report, or null if the worker did not answer.
 */
export async function diagnose(patient: Patient, folder: string): Promise<string | null> {
  const abort = AbortSignal.timeout(ANSWER_MS)
  try {
    const url = await inspectorUrl(patient, abort)
    const report = await reportOf(url, abort)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = path.join(folder, `worker-${patient.workerId}-pid-${patient.pid}.json`)
    await writeFile(file, report, { mode: 0o600 })
    return file
  } catch {
    return null // the worker is killed either way; what it could not tell is lost
  }
}

function inspectorUrl(patient: Patient, abort: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const stop = patient.onStderr((chunk) => {
      text = (text + chunk).slice(-4096)
      const url = /Debugger listening on (ws:\/\/\S+)/.exec(text)?.[1]
      if (!url) return
      stop()
      resolve(url)
    })
    abort.addEventListener('abort', () => {
      stop()
      reject(new Error('the inspector did not open'))
    })
    patient.openInspector()
  })
}

async function reportOf(url: string, abort: AbortSignal): Promise<string> {
  const inspector = await connect(url, abort)
  try {
    await inspector.call('Debugger.enable')
    const paused = inspector.next('Debugger.paused')
    await inspector.call('Debugger.pause')
    const { callFrames } = (await paused) as Paused
    const callFrameId = callFrames[0]?.callFrameId
    // The environment holds secrets, and looking up the names of peers takes time.
    const expression = `process.report.excludeEnv = true; process.report.excludeNetwork = true
      JSON.stringify(process.report.getReport(new Error('the event loop is stuck here')))`
    const answer = await inspector.call('Debugger.evaluateOnCallFrame', { callFrameId, expression, returnByValue: true })
    return withoutSecrets((answer as { result?: { value?: unknown } }).result?.value)
  } finally {
    inspector.close()
  }
}

/** Node before 22.13 does not know `excludeEnv`. */
function withoutSecrets(text: unknown): string {
  if (typeof text !== 'string' || text.length > LARGEST_REPORT_CHARACTERS) throw new Error('no report')
  const report = JSON.parse(text) as Record<string, unknown>
  delete report['environmentVariables']
  return JSON.stringify(report, null, 2)
}

interface Inspector {
  call(method: string, params?: object): Promise<unknown>
  next(event: string): Promise<unknown>
  close(): void
}

async function connect(url: string, abort: AbortSignal): Promise<Inspector> {
  const socket = new WebSocket(url)
  const waiting = new Map<number | string, PromiseWithResolvers<unknown>>()
  const expect = (key: number | string): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>()
    waiting.set(key, answer)
    return answer.promise
  }
  const fail = (): void => {
    for (const { reject } of waiting.values()) reject(new Error('the inspector went away'))
    socket.close()
  }
  abort.addEventListener('abort', fail)
  socket.addEventListener('close', fail)
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; method?: string; params?: unknown; result?: unknown }
    waiting.get(message.id ?? message.method ?? '')?.resolve(message.params ?? message.result)
  })
  const opened = expect('open')
  socket.addEventListener('open', () => waiting.get('open')?.resolve(null))
  await opened
  let lastId = 0
  return {
    call(method, params = {}) {
      const id = ++lastId
      const answer = expect(id)
      socket.send(JSON.stringify({ id, method, params }))
      return answer
    },
    next: expect,
    close: () => socket.close(),
  }
}
