import { type Chart, drawChart, escape, type Point, type Series } from './chart.ts'
import type { Recording, Sample } from './recorder.ts'
import type { Row } from './summary.ts'

/** One page with everything in it: it can be mailed, and opened without a network. */
export function renderReport(recording: Recording, rows: readonly Row[]): string {
  const charts = chartsOf(recording).map((chart) => `<figure>${drawChart(chart)}</figure>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>stationmaster demo, ${new Date(recording.startedAtMs).toISOString().slice(0, 16).replace('T', ' ')}</title>
<style>${style}</style>
<h1>One rush hour, in ${Math.round(lengthOf(recording))} seconds</h1>
<table>${rows.map(([what, value]) => `<tr><th scope="row">${escape(what)}</th><td>${escape(value)}</td></tr>`).join('')}</table>
${charts.join('\n')}
<h2>Decisions</h2>
<table><tr><th>at</th><th>workers</th><th>why</th></tr>
${recording.decisions.map((each) => `<tr><td>${each.atS.toFixed(1)} s</td><td>${each.from} → ${each.to}</td><td>${escape(each.reason)}</td></tr>`).join('\n')}
</table>
<p class="quiet">Latencies are those of the clients, from the moment a request was due. Dashed lines are decisions; hold the pointer over one to read it.</p>
</html>
`
}

function chartsOf(recording: Recording): Chart[] {
  const common = {
    seconds: lengthOf(recording),
    spans: recording.phases,
    marks: recording.decisions.map((each) => ({ atS: each.atS, text: `${each.from} to ${each.to}: ${each.reason}` })),
  }
  const series = (name: string, color: string, of: (sample: Sample) => number | null, step = false): Series => ({
    name,
    color,
    step,
    points: recording.samples.map((sample): Point => [sample.atS, of(sample)]),
  })
  return [
    { ...common, title: 'Requests answered', unit: 'per second', series: [series('answered', 'blue', (sample) => sample.requestsPerSecond)] },
    {
      ...common,
      title: 'Workers',
      unit: '',
      series: [series('ready', 'green', (sample) => sample.ready, true), series('spare', 'orange', (sample) => sample.spares, true)],
    },
    {
      ...common,
      title: 'Share of one core, mean of the ready workers',
      unit: '',
      series: [series('CPU', 'blue', (sample) => sample.cpu), series('event loop', 'orange', (sample) => sample.eventLoopUtilization)],
    },
    { ...common, title: 'p95', unit: 'ms', series: [series('p95', 'red', (sample) => sample.p95Ms)] },
    { ...common, title: 'Requests waiting per worker', unit: '', series: [series('queue', 'purple', (sample) => sample.queue)] },
  ]
}

const lengthOf = (recording: Recording): number => Math.max(1, recording.samples.at(-1)?.atS ?? 0, recording.phases.at(-1)?.toS ?? 0)

const style = `
:root { color-scheme: light dark; --back: #fff; --text: #1c1e21; --quiet: #667; --grid: #0002; --span: #0000000a;
  --blue: #2a6fbb; --green: #2e7d4f; --orange: #b8650a; --red: #c0392b; --purple: #7d4bb0 }
@media (prefers-color-scheme: dark) { :root { --back: #16181c; --text: #e6e7ea; --quiet: #9aa; --grid: #fff3; --span: #ffffff0f;
  --blue: #6cb2ff; --green: #63cf8f; --orange: #f0a44b; --red: #ff7b6b; --purple: #c79bff } }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem } figure { margin: 1.5rem 0 } svg { width: 100%; height: auto }
table { border-collapse: collapse } th, td { text-align: left; padding: .15rem 1.5rem .15rem 0; vertical-align: top; font-weight: normal }
td { font-variant-numeric: tabular-nums } .quiet { color: var(--quiet) }
svg text { font: 12px system-ui, sans-serif; fill: var(--quiet) } svg .title { font-size: 13px; fill: var(--text) } svg .legend { fill: revert-layer }
.grid { stroke: var(--grid) } .mark { stroke: var(--text); stroke-dasharray: 3 3; stroke-width: 1.5 } .span0 { fill: none } .span1 { fill: var(--span) }
`
