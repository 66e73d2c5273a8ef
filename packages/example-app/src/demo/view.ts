import { count, duration, percent, shortened } from './format.ts'
import { type Moment, narrowest, picture } from './picture.ts'

export type View = { show(moment: Moment): void }

const plainEveryS = 4
/** All of it is in the report. */
const plainReason = 90

/** A picture that redraws itself on a terminal wide enough for it; elsewhere a line now and then. */
export const openView = (out: NodeJS.WriteStream): View => (out.isTTY && out.columns >= narrowest ? terminalView(out) : plainView(out))

function terminalView(out: NodeJS.WriteStream): View {
  let drawn = 0
  return {
    show: (moment) => {
      // What is taller than the terminal could not be drawn over again.
      const lines = picture(moment, out.columns).slice(0, out.rows - 1)
      // Each line is cleared when its successor is there: nothing flickers.
      out.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`)
      drawn = lines.length
    },
  }
}

function plainView(out: NodeJS.WriteStream): View {
  let nextS = 0
  let told = 0
  return {
    show: ({ phase, samples, changes }) => {
      const sample = samples.at(-1)
      if (!sample) return
      for (const change of changes.slice(told))
        out.write(`${seconds(change.atS)}  ${change.from} → ${change.to} workers: ${shortened(change.reason, plainReason)}\n`)
      told = changes.length
      if (sample.atS < nextS) return
      nextS = sample.atS + plainEveryS
      const load = `${String(Math.round(sample.answered)).padStart(4)} requests/s, p95 ${duration(sample.p95Ms).padStart(7)}`
      const fleet = `${sample.ready} ready, cpu ${percent(sample.cpu)}, event loop ${percent(sample.eventLoopUtilization)}, queue ${count(sample.queue)}`
      out.write(`${seconds(sample.atS)}  ${phase.padEnd(10)} ${load}, ${fleet}\n`)
    },
  }
}

const seconds = (atS: number): string => `${atS.toFixed(1).padStart(5)} s`
