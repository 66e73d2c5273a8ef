/** What all charts of a page share: the same time from left to right, with phases and decisions behind the curves. */
export type Timeline = {
  readonly seconds: number
  readonly spans: readonly { readonly name: string; readonly fromS: number; readonly toS: number }[]
  readonly marks: readonly { readonly atS: number; readonly label: string; readonly text: string }[]
}

export type Tick = { readonly y: number; readonly label: string }

export const width = 960
export const left = 58
export const right = 14
export const top = 8
export const bottom = 22

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
    ...timesOf(timeline.seconds).map((atS) => `<text x="${xOf(timeline, atS)}" y="${height - 5}" text-anchor="middle">${atS} s</text>`),
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

function timesOf(seconds: number): number[] {
  const everyS = seconds > 45 ? 10 : 5
  return Array.from({ length: Math.floor(seconds / everyS) + 1 }, (_, index) => index * everyS)
}

export const round = (value: number): number => Math.round(value * 10) / 10

export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
