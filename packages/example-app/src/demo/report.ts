import { availableParallelism } from 'node:os'
import type { Decision } from 'stationmaster'
import { count, duration, percent, roundDuration } from './format.ts'
import { escape, left, right, type Timeline, width } from '../../../supervisor/src/simulator/plot-frame.ts'
import { drawLives, stateColors } from './life-chart.ts'
import { drawLineChart, type LineChart, type Series } from '../../../supervisor/src/simulator/plot-lines.ts'
import { lengthOf, mostReady, type Recording, type Sample, secondsInto } from './recorder.ts'
import { script } from '../../../supervisor/src/simulator/report-script.ts'
import { style } from '../../../supervisor/src/simulator/report-style.ts'
import { failuresOf, type Outcome, requestsOf, type Row, timeTo } from './summary.ts'

/** One page with everything in it: it can be mailed, and opened without a network. */
export function renderReport(outcome: Outcome, rows: readonly Row[]): string {
  const { recording } = outcome
  const timeline = timelineOf(recording)
  const charts = chartsOf(recording)
  const startedAt = new Date(recording.startedAtMs).toISOString().slice(0, 16).replace('T', ' ')
  const machine = `${availableParallelism()} cores, Node ${process.versions.node}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>stationmaster demo, ${startedAt}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<header><h1>One rush hour in ${Math.round(lengthOf(recording))} seconds</h1><p>stationmaster demo · ${startedAt} UTC · ${escape(machine)}</p></header>
<section class="tiles">${tilesOf(outcome).map(drawTile).join('')}</section>
<ol class="phases">${recording.phases.map(drawPhase).join('')}</ol>
${charts.map((chart, index) => `<figure data-chart="${index}"><figcaption><b>${escape(chart.title)}</b>${chart.series.map(drawKey).join('')}</figcaption>${drawLineChart(timeline, chart)}</figure>${index === 1 ? drawLivesFigure(recording, timeline) : ''}`).join('\n')}
<h2>Decisions</h2>
<div class="wide"><table><tr><th></th><th>at</th><th>workers</th><th>why</th></tr>
${recording.decisions.map((each, index) => `<tr><td><i>${index + 1}</i></td><td>${secondsInto(recording, each.atMs).toFixed(1)} s</td><td>${each.from} → ${each.to}</td><td>${escape(each.reason)}</td></tr>`).join('\n')}
</table></div>
<h2>In numbers</h2>
<div class="wide"><table>${rows.map(([what, value]) => `<tr><th scope="row">${escape(what)}</th><td>${escape(value)}</td></tr>`).join('')}</table></div>
<p class="quiet">Latencies are those of the clients, from the moment when a request was due, so that a server that stalls cannot hide it. Clients, workers and databases shared the cores of one machine. The time to a first served request counts from the moment at which one more worker was asked for; the median of a few trials after the rush.</p>
<script type="application/json" id="data">${dataOf(recording, charts)}</script>
<script>${script({ left, right, width, seconds: timeline.seconds })}</script>
</html>
`
}

function timelineOf(recording: Recording): Timeline {
  const text = ({ from, to, reason }: Decision): string => `${from} → ${to} workers: ${reason}`
  return {
    seconds: lengthOf(recording),
    spans: recording.phases,
    marks: recording.decisions.map((each, index) => ({ atS: secondsInto(recording, each.atMs), label: String(index + 1), text: text(each) })),
  }
}

function chartsOf({ samples }: Recording): LineChart[] {
  const series = (name: string, color: string, of: (sample: Sample) => number | null, shape: Series['shape'] = 'line'): Series => {
    return { name, color, shape, points: samples.map((sample) => [sample.atS, of(sample)]) }
  }
  const answered = series('answered', 'blue', (sample) => sample.answered)
  const due = series('due', 'text', (sample) => sample.due, 'dashed')
  const cpu = series('CPU', 'blue', (sample) => sample.cpu)
  const eventLoop = series('event loop', 'orange', (sample) => sample.eventLoopUtilization)
  return [
    { title: 'Requests per second', format: count, series: [answered, due] },
    { title: 'Workers that serve', format: count, scale: 'whole', series: [series('ready', 'green', (sample) => sample.ready, 'step')] },
    { title: 'Use of one core, mean of the workers', format: percent, series: [cpu, eventLoop] },
    {
      title: 'p95 of the answers',
      format: duration,
      formatTick: roundDuration,
      scale: 'log',
      series: [series('p95', 'red', (sample) => sample.p95Ms)],
    },
    { title: 'Requests in flight per worker', format: count, series: [series('queue', 'purple', (sample) => sample.queue)] },
  ]
}

function tilesOf(outcome: Outcome): Row[] {
  return [
    ['requests', requestsOf(outcome).toLocaleString('en')],
    ['failed', failuresOf(outcome).toLocaleString('en')],
    ['most workers at once', String(mostReady(outcome.recording))],
    ['spare to first request', timeTo(outcome, 'spare').replace(/ \(.*/, '')],
    ['cold start to first request', timeTo(outcome, 'cold start').replace(/ \(.*/, '')],
  ]
}

const drawTile = ([what, value]: Row): string => `<div><strong>${escape(value)}</strong>${escape(what)}</div>`

function drawPhase({ name, fromS, toS, due, stats }: Recording['phases'][number]): string {
  const load = `${Math.round(due)} requests/s, p95 ${duration(stats.latency.p95Ms)}, ${stats.failed} failed`
  return `<li style="flex-grow:${Math.round(toS - fromS)}"><b>${escape(name)}</b> ${escape(load)}</li>`
}

const drawKey = ({ name, color }: Series): string => `<span style="--key:var(--${color})">${escape(name)} <output></output></span>`

function drawLivesFigure({ samples }: Recording, timeline: Timeline): string {
  const seen = new Set(samples.flatMap((sample) => sample.workers.map(({ state }) => state)))
  const keys = Object.entries(stateColors).filter(([state]) => seen.has(state as never))
  const legend = keys.map(([state, color]) => `<span style="--key:var(--${color})">${state}</span>`).join('')
  return `<figure><figcaption><b>Life of each worker</b>${legend}</figcaption>${drawLives(timeline, samples)}</figure>`
}

/** For the values under the pointer: already in words, so that the page needs no code to format them. */
function dataOf({ samples }: Recording, charts: readonly LineChart[]): string {
  const texts = charts.map(({ series, format }) => series.map(({ points }) => points.map(([, value]) => (value === null ? '–' : format(value)))))
  return JSON.stringify({ times: samples.map(({ atS }) => atS), texts }).replaceAll('<', '\\u003c')
}
