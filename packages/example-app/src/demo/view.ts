import { styleText } from 'node:util'
import type { Status, WorkerStatus } from './control.ts'
import type { Sample } from './recorder.ts'

export type View = { show(phase: string, secondsLeft: number, status: Status, sample: Sample): void; end(): void }

const barWidth = 20
const plainEveryMs = 2_000

/** A picture that redraws itself on a terminal; elsewhere a line now and then. */
export const openView = (out: NodeJS.WriteStream): View => (out.isTTY ? terminalView(out) : plainView(out))

function terminalView(out: NodeJS.WriteStream): View {
  let drawn = 0
  return {
    show: (phase, secondsLeft, status, sample) => {
      const lines = picture(phase, secondsLeft, status, sample)
      // Back to the first line of the last picture, and everything below it anew.
      out.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}\x1b[0J${lines.join('\n')}\n`)
      drawn = lines.length
    },
    end: () => {},
  }
}

function plainView(out: NodeJS.WriteStream): View {
  let last = -Infinity
  return {
    show: (phase, secondsLeft, status, sample) => {
      if (performance.now() - last < plainEveryMs) return
      last = performance.now()
      const numbers = `${sample.ready} ready, ${sample.spares} spare, cpu ${percent(sample.cpu)}, queue ${number(sample.queue)}, p95 ${ms(sample.p95Ms)}`
      out.write(`${phase.padEnd(10)} ${String(secondsLeft).padStart(3)} s left: ${Math.round(sample.requestsPerSecond)} requests/s, ${numbers}\n`)
      void status
    },
    end: () => {},
  }
}

function picture(phase: string, secondsLeft: number, status: Status, sample: Sample): string[] {
  const decision = status.lastDecision
  return [
    '',
    `  ${styleText('bold', phase)}, ${secondsLeft} s left    ${Math.round(sample.requestsPerSecond)} requests/s    p95 ${ms(sample.p95Ms)}    failed ${sample.failed}`,
    '',
    `  ${styleText('dim', `worker  state      ${'cpu'.padEnd(barWidth + 6)}${'event loop'.padEnd(barWidth + 6)}queue     p95`)}`,
    ...status.workers.map(workerLine),
    '',
    `  ${decision ? `last decision: ${decision.from} to ${decision.to} workers, ${decision.reason}` : 'no decision yet'}`.slice(0, 118),
    '',
  ]
}

function workerLine(worker: WorkerStatus): string {
  const color = ({ ready: 'green', spare: 'cyan', booting: 'yellow', draining: 'magenta', killing: 'red' } as const)[worker.state]
  const state = styleText(color, worker.state.padEnd(9))
  const queue = number(worker.queue).padStart(5)
  return `  ${String(worker.id).padStart(6)}  ${state}  ${bar(worker.cpu)}${bar(worker.eventLoopUtilization)}${queue} ${ms(worker.p95Ms).padStart(9)}`
}

function bar(share: number | null): string {
  const filled = Math.round(Math.min(Math.max(share ?? 0, 0), 1) * barWidth)
  const color = (share ?? 0) > 0.8 ? 'red' : (share ?? 0) > 0.5 ? 'yellow' : 'green'
  return `${styleText(color, '█'.repeat(filled))}${styleText('dim', '·'.repeat(barWidth - filled))} ${percent(share).padStart(4)} `
}

export const percent = (share: number | null): string => (share === null ? '–' : `${Math.round(share * 100)}%`)
export const ms = (value: number | null): string => (value === null ? '–' : value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`)
const number = (value: number | null): string => (value === null ? '–' : String(Math.round(value * 10) / 10))
