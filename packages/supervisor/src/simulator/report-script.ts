export interface Geometry {
  readonly left: number
  readonly right: number
  readonly width: number
  readonly seconds: number
}

/** Shows the values under the pointer in the captions, and why it was decided what a mark stands for: by pointer, finger or keyboard. The page says everything without it. */
export const script = (geometry: Geometry): string => `
const { left, right, width, seconds } = ${JSON.stringify(geometry)}
const { times, texts } = JSON.parse(document.getElementById('data').textContent)
const figures = [...document.querySelectorAll('figure')]
const show = event => {
  const box = event.currentTarget.getBoundingClientRect()
  const atS = (((event.clientX - box.left) / box.width) * width - left) / (width - left - right) * seconds
  let nearest = 0
  times.forEach((time, index) => { if (Math.abs(time - atS) < Math.abs(times[nearest] - atS)) nearest = index })
  const x = left + times[nearest] / seconds * (width - left - right)
  for (const figure of figures) {
    const line = figure.querySelector('.cursor')
    line.setAttribute('x1', x); line.setAttribute('x2', x); line.setAttribute('visibility', 'visible')
    figure.querySelectorAll('output').forEach((output, index) => { output.textContent = texts[figure.dataset.chart][index][nearest] ?? '' })
  }
}
const hide = () => {
  for (const figure of figures) {
    figure.querySelector('.cursor').setAttribute('visibility', 'hidden')
    figure.querySelectorAll('output').forEach(output => { output.textContent = '' })
  }
}
for (const svg of document.querySelectorAll('svg')) { svg.addEventListener('pointermove', show); svg.addEventListener('pointerleave', hide) }
const tip = document.createElement('div')
Object.assign(tip, { id: 'tip', role: 'tooltip', hidden: true })
document.body.append(tip)
const tell = ({ currentTarget: mark }) => {
  const circleOf = each => each.querySelector('circle').getBoundingClientRect()
  const box = circleOf(mark)
  // Decisions that follow each other at once lie on one another: who points at one is told all of them.
  const together = [...mark.parentNode.querySelectorAll('.mark')].filter(each => Math.abs(circleOf(each).left - box.left) < box.width)
  tip.textContent = together.map(each => each.querySelector('text').textContent + ': ' + each.getAttribute('aria-label')).join('\\n')
  tip.hidden = false
  tip.style.left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8)) + 'px'
  tip.style.top = box.bottom + 6 + 'px'
}
const hush = () => { tip.hidden = true }
for (const mark of document.querySelectorAll('.mark')) {
  const title = mark.querySelector('title')
  for (const [name, value] of Object.entries({ 'aria-label': title.textContent, role: 'img', tabindex: 0 })) mark.setAttribute(name, value)
  title.remove()
  for (const kind of ['pointerenter', 'focus']) mark.addEventListener(kind, tell)
  for (const kind of ['pointerleave', 'blur']) mark.addEventListener(kind, hush)
}
addEventListener('scroll', hush, true)
addEventListener('keydown', ({ key }) => { if (key === 'Escape') hush() })
`
