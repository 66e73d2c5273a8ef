import { bottom, drawFrame, escape, round, type Timeline, top, xOf } from '../../../supervisor/src/simulator/plot-frame.ts'
import type { Sample } from './recorder.ts'

type WorkerSample = Sample['workers'][number]
type Stretch = { readonly state: WorkerSample['state']; readonly fromS: number; toS: number }

export const stateColors = { booting: 'yellow', spare: 'cyan', ready: 'green', draining: 'purple', killing: 'red' } as const

const rowHeight = 16
const gap = 5
/** Room for the numbers of the decisions. */
const firstRow = top + 24

/** A row for each worker that ever was, with what it was when. */
export function drawLives(timeline: Timeline, samples: readonly Sample[]): string {
  const lives = [...livesOf(samples)]
  const height = firstRow + lives.length * (rowHeight + gap) + bottom
  const yOf = (row: number): number => firstRow + row * (rowHeight + gap)
  const ticks = lives.map(([id], row) => ({ y: yOf(row) + rowHeight / 2, label: `no. ${id}` }))
  const bars = lives.flatMap(([id, stretches], row) =>
    stretches.map(({ state, fromS, toS }) => {
      const [from, to] = [xOf(timeline, fromS), xOf(timeline, toS)]
      const text = `worker ${id}: ${state}, ${fromS.toFixed(1)} s to ${toS.toFixed(1)} s`
      return `<rect fill="var(--${stateColors[state]})" x="${from}" y="${yOf(row)}" width="${round(Math.max(1.5, to - from))}" height="${rowHeight}" rx="2"><title>${escape(text)}</title></rect>`
    }),
  )
  return drawFrame(timeline, height, 'Life of each worker', ticks, bars.join(''))
}

function livesOf(samples: readonly Sample[]): Map<number, Stretch[]> {
  const lives = new Map<number, Stretch[]>()
  let beforeS = 0
  for (const { atS, workers } of samples) {
    for (const { id, state } of workers) {
      const life = lives.get(id) ?? []
      lives.set(id, life)
      const last = life.at(-1)
      // Seen at both looks: it was this all the time in between.
      if (last?.toS === beforeS) last.toS = atS
      if (last?.state !== state || last.toS !== atS) life.push({ state, fromS: last ? atS : beforeS, toS: atS })
    }
    beforeS = atS
  }
  return lives
}
