import type { Decision } from '../../policy/decision.ts'
import { type Timeline, escape, timeLabel } from '../../simulator/plot-frame.ts'
import { type LineChart, type Point, type Series, drawLineChart } from '../../simulator/plot-lines.ts'
import { describeStep } from '../render-decision.ts'
import { count, milliseconds, ratio } from '../units.ts'
import { type Moment, SPAN_S } from './history.ts'

const SPANS_S = [300, 600, SPAN_S]

/** The last half hour, or as much of it as there was, up to now at the right edge. */
export function drawCharts(moments: readonly Moment[], decisions: readonly Decision[], nowMs: number): string {
  const knownS = (nowMs - (moments[0]?.atMs ?? nowMs)) / 1000
  const spanS = SPANS_S.find((each) => each >= knownS) ?? SPAN_S
  const atS = (atMs: number): number => spanS - (nowMs - atMs) / 1000
  const series = (name: string, color: string, read: (moment: Moment) => number | null, shape: Series['shape'] = 'line'): Series => {
    const points = moments.map((moment): Point => [atS(moment.atMs), read(moment)]).filter(([at]) => at >= 0)
    return { name, color, points, shape }
  }
  const timeline: Timeline = { seconds: spanS, labelOf: (at) => timeBefore(spanS - at), spans: [], marks: marksOf(decisions, atS) }
  const charts: readonly LineChart[] = [
    {
      title: 'Workers',
      scale: 'whole',
      format: count,
      series: [series('ready', 'green', ({ ready }) => ready, 'step'), series('target', 'blue', ({ target }) => target, 'dashed')],
    },
    {
      title: 'Load',
      format: ratio,
      series: [
        series('cpu', 'orange', ({ cpu }) => cpu),
        series('event loop', 'purple', ({ eventLoopUtilization }) => eventLoopUtilization),
        series('memory', 'cyan', ({ memory }) => memory),
      ],
    },
    {
      title: 'Requests',
      format: count,
      series: [
        series('per second', 'blue', ({ requestsPerSecond }) => requestsPerSecond),
        series('in flight per worker', 'red', ({ queue }) => queue),
      ],
    },
    {
      title: 'Response time (p95)',
      format: milliseconds,
      formatTick: (value) => (value < 1000 ? `${value} ms` : `${value / 1000} s`),
      series: [series('of the fleet', 'purple', ({ p95Ms }) => p95Ms)],
    },
  ]
  return charts.map((chart) => drawFigure(timeline, chart)).join('')
}

function drawFigure(timeline: Timeline, chart: LineChart): string {
  const keys = chart.series.map(({ name, color, points }) => {
    const value = points.at(-1)?.[1] ?? null
    return `<span class="key ${color}">${escape(name)} <b>${chart.format(value as number)}</b></span>`
  })
  return `<figure><figcaption><b>${escape(chart.title)}</b>${keys.join('')}</figcaption><div class="wide">${drawLineChart(timeline, chart)}</div></figure>`
}

function marksOf(decisions: readonly Decision[], atS: (atMs: number) => number): Timeline['marks'] {
  return decisions
    .filter(({ atMs, from, to }) => from !== to && atS(atMs) >= 0)
    .map((decision) => ({
      atS: atS(decision.atMs),
      label: decision.to > decision.from ? '↑' : '↓',
      text: `${describeStep(decision)}: ${decision.reason}`,
    }))
}

const timeBefore = (agoS: number): string => (agoS === 0 ? 'now' : `−${timeLabel(agoS)}`)
