/** What all charts of a page share: the same time from left to right, with phases and decisions behind the curves. */
export interface Timeline {
  readonly seconds: number
  /** How a time is written below the chart; seconds from its left edge unless given. */
  readonly labelOf?: (atS: number) => string
  readonly spans: readonly { readonly name: string; readonly fromS: number; readonly toS: number }[]
  readonly marks: readonly { readonly atS: number; readonly label: string; readonly text: string }[]
}

export interface Tick {
  readonly y: number
  readonly label: string
}

export const width: number = 960
export const left: number = 58
export const right: number = 14
export const top: number = 8
export const bottom: number = 22

export const xOf = ({ seconds }: Timeline, atS: number): number => round(left + (atS / seconds) * (width - left - right))

/** A chart's picture: phases, grid, time axis, then the given content, then decisions and the line under the pointer. */
export function drawFrame(timeline: Timeline, height: number, label: string, ticks: readonly Tick[], content: string): string {
  const floor = height - bottom
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(label)}">`,
    ...timeline.spans.map((span, index) => drawSpan(timeline, span, index, floor)),
    ...ticks.map(({ y, label: text }) => {
      const at = round(y)
      return `<line class="grid" x1="${left}" x2="${width - right}" y1="${at}" y2="${at}"/><text x="${left - 8}" y="${at + 4}" text-anchor="end">${escape(text)}</text>`
    }),
    ...timesOf(timeline.seconds).map(
      (atS) => `<text x="${xOf(timeline, atS)}" y="${height - 5}" text-anchor="middle">${(timeline.labelOf ?? timeLabel)(atS)}</text>`,
    ),
    content,
    ...timeline.marks.map((mark) => drawMark(timeline, mark, floor)),
    `<line class="cursor" x1="0" x2="0" y1="${top}" y2="${floor}" visibility="hidden"/></svg>`,
  ].join('')
}

function drawSpan(timeline: Timeline, span: Timeline['spans'][number], index: number, floor: number): string {
  const [from, to] = [xOf(timeline, span.fromS), xOf(timeline, span.toS)]
  return `<rect class="span${index % 2}" x="${from}" y="${top}" width="${round(to - from)}" height="${floor - top}"/>`
}

function drawMark(timeline: Timeline, { atS, label, text }: Timeline['marks'][number], floor: number): string {
  const x = xOf(timeline, atS)
  return `<g class="mark"><title>${escape(text)}</title><line x1="${x}" x2="${x}" y1="${top + 9}" y2="${floor}"/><circle cx="${x}" cy="${top + 9}" r="8"/><text x="${x}" y="${top + 13}" text-anchor="middle">${escape(label)}</text></g>`
}

const STEPS_S = [5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14_400, 21_600, 86_400, 172_800, 604_800]
const MOST_LABELS = 12

function timesOf(seconds: number): number[] {
  const everyS = STEPS_S.find((step) => seconds / step <= MOST_LABELS) ?? seconds
  return Array.from({ length: Math.floor(seconds / everyS) + 1 }, (_, index) => index * everyS)
}

/** `30 s`, `5 min`, `6 h`, `2 d`: the largest unit that is whole. */
export function timeLabel(atS: number): string {
  if (atS === 0) return '0'
  if (atS % 86_400 === 0) return `${atS / 86_400} d`
  if (atS % 3600 === 0) return `${atS / 3600} h`
  return atS % 60 === 0 ? `${atS / 60} min` : `${atS} s`
}

export const round = (value: number): number => Math.round(value * 10) / 10

export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
