import { bottom, drawFrame, round, type Tick, type Timeline, top, xOf } from './plot-frame.ts'

export type Point = readonly [atS: number, value: number | null]

export interface Series {
  readonly name: string
  /** A colour of the page's style sheet. */
  readonly color: string
  readonly points: readonly Point[]
  readonly shape?: 'line' | 'step' | 'dashed'
}

export interface LineChart {
  readonly title: string
  readonly series: readonly Series[]
  readonly scale?: 'linear' | 'whole' | 'log'
  readonly format: (value: number) => string
  /** For the axis, where that of the values is too exact. */
  readonly formatTick?: (value: number) => string
}

type Scale = { readonly y: (value: number) => number; readonly ticks: readonly number[] }

const height = 168
const floor = height - bottom
/** Room for the numbers of the decisions above the highest value. */
const ceiling = top + 22

export function drawLineChart(timeline: Timeline, chart: LineChart): string {
  const values = chart.series.flatMap(({ points }) => points.flatMap(([, value]) => (value === null ? [] : [value])))
  const scale = chart.scale === 'log' ? logScale(values) : linearScale(values, chart.scale === 'whole')
  const ticks = scale.ticks.map((value): Tick => ({ y: scale.y(value), label: (chart.formatTick ?? chart.format)(value) }))
  const curves = chart.series.map((series) => drawSeries(timeline, series, scale))
  return drawFrame(timeline, height, chart.title, ticks, curves.join(''))
}

function drawSeries(timeline: Timeline, { color, points, shape }: Series, { y }: Scale): string {
  const runs = runsOf(points).map((run) => {
    const [[startS, startValue], ...rest] = run
    const head = `${xOf(timeline, startS)} ${round(y(startValue))}`
    const tail = rest.map(([atS, value]) => {
      const [x, at] = [xOf(timeline, atS), round(y(value))]
      return shape === 'step' ? `H${x}V${at}` : `L${x} ${at}`
    })
    const path = head + tail.join('')
    const area = `<path class="area" fill="var(--${color})" d="M${path}V${floor}H${xOf(timeline, startS)}Z"/>`
    return `${shape === 'dashed' ? '' : area}<path class="${shape === 'dashed' ? 'curve dashed' : 'curve'}" stroke="var(--${color})" d="M${path}"/>`
  })
  return runs.join('')
}

type Run = [readonly [atS: number, value: number], ...(readonly [atS: number, value: number])[]]

/** A value that is not known leaves a gap. */
function runsOf(points: readonly Point[]): Run[] {
  const runs: Run[] = []
  let open = false
  for (const [atS, value] of points) {
    if (value === null) open = false
    else if (open) runs.at(-1)?.push([atS, value])
    else {
      runs.push([[atS, value]])
      open = true
    }
  }
  return runs
}

function linearScale(values: readonly number[], whole: boolean): Scale {
  const most = Math.max(0, ...values)
  const max = whole ? Math.max(1, Math.ceil(most)) : niceAbove(most)
  const steps = whole ? max : 2
  return {
    y: (value) => floor - (value / max) * (floor - ceiling),
    ticks: Array.from({ length: steps + 1 }, (_, index) => (index / steps) * max),
  }
}

/** From one power of ten to another. */
function logScale(values: readonly number[]): Scale {
  const known = values.filter((value) => value > 0)
  const low = Math.floor(Math.log10(Math.min(10, ...known)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(1, ...known))))
  return {
    y: (value) => floor - (Math.max(0, Math.log10(Math.max(value, Number.MIN_VALUE)) - low) / (high - low)) * (floor - ceiling),
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  }
}

/** A little above the highest value, and easy to halve. */
function niceAbove(most: number): number {
  if (most <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return ([1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= most) ?? 10) * power
}
