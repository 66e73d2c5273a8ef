import { describeMs, describeValue } from '../policy/describe.ts'
import type { ScalingSettings } from '../policy/settings.ts'
import type { Compared } from './compare.ts'
import type { Detail, Moments } from './moments.ts'
import type { Plan } from './plan.ts'
import type { LineChart, Point, Series } from './plot-lines.ts'
import type { Outcome } from './simulate.ts'
import { createTold } from './told.ts'

/** More points than pixels show nothing more; of those that fall together the highest counts. */
const MOST_POINTS = 700

/** As many moments as the page can show; each holds the highest of its time. */
export function thinned(timeline: Moments): Detail[] {
  const every = Math.ceil(timeline.length / MOST_POINTS)
  const points: Detail[] = []
  let index = 0
  for (const moment of timeline) {
    const most = index++ % every === 0 ? moment : highest(points.pop() as Detail, moment)
    points.push({ ...most, atS: moment.atS })
  }
  return points
}

function highest(a: Detail, b: Detail): Detail {
  const names = Object.keys(a) as (keyof Detail)[]
  return Object.fromEntries(
    names.map((name) => [name, a[name] === null ? b[name] : b[name] === null ? a[name] : Math.max(a[name], b[name])]),
  ) as unknown as Detail
}

type Value = (moment: Detail) => number | null

interface SignalChart {
  readonly title: string
  readonly color: string
  readonly of: Value
}

/** What a run measures, whether the policy looks at it or not. */
const MEASURED: Readonly<Record<string, SignalChart>> = {
  p95: { title: 'p95 of the answers', color: 'red', of: ({ p95Ms }) => p95Ms },
  cpu: { title: 'CPU of a worker', color: 'blue', of: ({ cpu }) => cpu },
  eventLoopUtilization: { title: 'Event-loop utilisation', color: 'orange', of: ({ eventLoopUtilization }) => eventLoopUtilization },
  eventLoopDelay: { title: 'Event-loop delay, p99 of a worker', color: 'blue', of: ({ eventLoopDelayMs }) => eventLoopDelayMs },
  queue: { title: 'Requests in flight per worker', color: 'purple', of: ({ queue }) => queue },
  memory: { title: 'Memory of a worker over its limit', color: 'green', of: ({ memory }) => memory },
}

/** Proxies and the app tell it, if they do: of virtual ones the scenario says what. */
function toldBy({ scenario }: Plan, name: string): SignalChart {
  const isQueueTime = name === 'queueTime'
  const title = isQueueTime ? 'Time before requests got here' : `Signal ${name}`
  const isTold = isQueueTime ? scenario.request.queueTimesMs : scenario.signals && Object.hasOwn(scenario.signals, name)
  if (!isTold) return { title: `${title}: not measured in this run`, color: 'blue', of: () => null }
  const toldAt = createTold(scenario)
  const of: Value = ({ atS }) => {
    const { queueTimeMs, signals } = toldAt(atS * 1000)
    return isQueueTime ? queueTimeMs : (signals[name] ?? null)
  }
  return { title, color: 'blue', of }
}

/** Load, workers, and every signal that is measured or that the policy has thresholds for. */
export function chartsOf(moments: readonly Detail[], plan: Plan, scaling: ScalingSettings): LineChart[] {
  const line = (name: string, color: string, of: Value, shape: Series['shape'] = 'line'): Series => {
    return { name, color, shape, points: moments.map((moment): Point => [moment.atS, of(moment)]) }
  }
  const count = (value: number): string => describeValue('queue', value)
  const states = [
    line('ready', 'green', (moment) => moment.ready, 'step'),
    line('booting', 'yellow', (moment) => moment.booting, 'step'),
    line('spare', 'blue', (moment) => moment.spare, 'step'),
    line('draining', 'purple', (moment) => moment.draining, 'step'),
    line('target', 'text', (moment) => moment.target, 'dashed'),
  ]
  const replicas: LineChart = {
    title: 'Replicas',
    format: count,
    scale: 'whole',
    series: [line('replicas', 'orange', (moment) => moment.replicas, 'step')],
  }
  const endS = plan.durationMs / 1000
  const signals = [...new Set([...Object.keys(MEASURED), ...Object.keys(scaling.up), ...Object.keys(scaling.down)])].map((name): LineChart => {
    const { title, color, of } = MEASURED[name] ?? toldBy(plan, name)
    const chart = {
      title,
      format: (value: number) => describeValue(name, value),
      series: [line(name, color, of), ...thresholds(scaling, name, endS)],
    }
    if (name !== 'p95') return chart
    const objective = flat(`objective ${plan.objectiveMs} ms`, 'text', plan.objectiveMs, endS)
    return { ...chart, formatTick: describeMs, scale: 'log', series: [...chart.series, objective] }
  })
  return [
    { title: 'Load, requests per second', format: count, series: [line('requests', 'blue', (moment) => moment.requestsPerSecond)] },
    { title: 'Workers by state', format: count, scale: 'whole', series: states },
    ...(plan.scenario.replicas ? [replicas] : []),
    ...signals,
  ]
}

function thresholds({ up, down, surge }: ScalingSettings, signal: string, endS: number): Series[] {
  const level = (what: string, color: string, { threshold, forMs }: { readonly threshold: number; readonly forMs: number }): Series =>
    flat(`${what} ${describeValue(signal, threshold)} for ${describeMs(forMs)}`, color, threshold, endS)
  const surgeAt = surge && (signal === 'queue' ? surge.queue : signal === 'eventLoopUtilization' ? surge.eventLoopUtilization : null)
  return [
    ...(surge && surgeAt !== null ? [level('surge from', 'yellow', { threshold: surgeAt, forMs: surge.forMs })] : []),
    ...(up[signal] ? [level('grow above', 'red', up[signal])] : []),
    ...(down[signal] ? [level('shrink below', 'cyan', down[signal])] : []),
  ]
}

function flat(name: string, color: string, value: number, endS: number): Series {
  return {
    name,
    color,
    shape: 'dashed',
    points: [
      [0, value],
      [endS, value],
    ],
  }
}

const COLORS = ['green', 'orange', 'purple', 'red', 'cyan']

export function comparisonChart(own: Outcome, others: readonly Compared[]): LineChart {
  const all = [{ name: 'this policy', outcome: own }, ...others]
  const series = all.map(({ name, outcome }, index): Series => {
    return {
      name,
      color: COLORS[index % COLORS.length] as string,
      shape: 'step',
      points: thinned(outcome.timeline).map(({ atS, ready }): Point => [atS, ready]),
    }
  })
  return { title: 'Workers that serve, by policy', format: (value) => describeValue('queue', value), scale: 'whole', series }
}
