export interface Geometry {
  readonly left: number
  readonly right: number
  readonly width: number
  readonly seconds: number
}

/** Shows the values under the pointer in the captions. The page says everything without it. */
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
`
