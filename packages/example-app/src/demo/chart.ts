export type Point = readonly [atS: number, value: number | null]
export type Series = { readonly name: string; readonly color: string; readonly points: readonly Point[]; readonly step?: boolean }
export type Span = { readonly name: string; readonly fromS: number; readonly toS: number }
export type Mark = { readonly atS: number; readonly text: string }

export type Chart = {
  readonly title: string
  readonly unit: string
  readonly seconds: number
  readonly series: readonly Series[]
  readonly spans: readonly Span[]
  readonly marks: readonly Mark[]
}

const width = 880
const height = 190
const left = 56
const right = 12
const top = 26
const bottom = 24

/** A line chart as SVG. Colours are CSS variables of the page, so that it suits a light and a dark one. */
export function drawChart(chart: Chart): string {
  const max = niceMax(Math.max(0, ...chart.series.flatMap((series) => series.points.map(([, value]) => value ?? 0))))
  const x = (atS: number): number => left + (atS / chart.seconds) * (width - left - right)
  const y = (value: number): number => height - bottom - (value / max) * (height - top - bottom)
  const ticks = [0, max / 2, max]
  const everyS = chart.seconds > 45 ? 10 : 5
  const times = Array.from({ length: Math.floor(chart.seconds / everyS) + 1 }, (_, index) => index * everyS)
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(chart.title)}">`,
    ...chart.spans.map((span, index) => drawSpan(span, index, x)),
    ...ticks.map(
      (tick) =>
        `<line class="grid" x1="${left}" x2="${width - right}" y1="${round(y(tick))}" y2="${round(y(tick))}"/><text class="tick" x="${left - 6}" y="${round(y(tick) + 4)}" text-anchor="end">${format(tick)}</text>`,
    ),
    ...times.map((atS) => `<text class="tick" x="${round(x(atS))}" y="${height - 8}" text-anchor="middle">${atS} s</text>`),
    ...chart.marks.map(
      (mark) =>
        `<line class="mark" x1="${round(x(mark.atS))}" x2="${round(x(mark.atS))}" y1="${top}" y2="${height - bottom}"><title>${escape(mark.text)}</title></line>`,
    ),
    ...chart.series.map(
      (series) =>
        `<path fill="none" stroke="var(--${series.color})" stroke-width="2" d="${line(series, x, y)}"><title>${escape(series.name)}</title></path>`,
    ),
    `<text class="title" x="${left}" y="15">${escape(chart.title)} <tspan class="unit">${escape(chart.unit)}</tspan></text>`,
    drawLegend(chart.series),
    '</svg>',
  ].join('')
}

function drawSpan(span: Span, index: number, x: (atS: number) => number): string {
  const from = x(span.fromS)
  const to = x(span.toS)
  return (
    `<rect class="span${index % 2}" x="${round(from)}" y="${top}" width="${round(to - from)}" height="${height - top - bottom}"/>` +
    `<text class="phase" x="${round((from + to) / 2)}" y="${top + 13}" text-anchor="middle">${escape(span.name)}</text>`
  )
}

function drawLegend(series: readonly Series[]): string {
  return series
    .map(
      ({ name, color }, index) =>
        `<text class="legend" x="${width - right - (series.length - 1 - index) * 130}" y="15" text-anchor="end" fill="var(--${color})">${escape(name)}</text>`,
    )
    .join('')
}

/** A value that is not known leaves a gap. */
function line({ points, step }: Series, x: (atS: number) => number, y: (value: number) => number): string {
  let path = ''
  let drawing = false
  for (const [atS, value] of points) {
    if (value === null) drawing = false
    else {
      path += drawing ? `${step ? `H${round(x(atS))}V` : `L${round(x(atS))} `}${round(y(value))}` : `M${round(x(atS))} ${round(y(value))}`
      drawing = true
    }
  }
  return path
}

/** 1, 2 or 5 times a power of ten. */
function niceMax(max: number): number {
  if (max <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(max))
  return ([1, 2, 5, 10].find((factor) => factor * power >= max) ?? 10) * power
}

const round = (value: number): number => Math.round(value * 10) / 10
const format = (value: number): string => String(Math.round(value * 100) / 100)
export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
