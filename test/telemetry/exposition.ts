/** A strict reader of Prometheus' text format: whatever it does not know is a fault. Written from the format's description, not from what we write. */
export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: Map<string, number>
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/

export function readExposition(text: string, format: 'prometheus' | 'openmetrics'): Map<string, Family> {
  const families = new Map<string, Family>()
  let lines = text.split('\n')
  if (lines.pop() !== '') throw new Error('the last line does not end')
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('no # EOF at the end')
  lines = format === 'prometheus' ? lines.filter((line) => line !== '') : lines
  let current: string | null = null
  for (const line of lines) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (comment) {
      const [, what, name = '', rest = ''] = comment
      if (!NAME.test(name)) throw new Error(`no name of a metric: ${line}`)
      if (name !== current) {
        if (families.has(name)) throw new Error(`told of twice: ${line}`)
        families.set(name, { type: '', help: '', samples: new Map() })
        current = name
      }
      const family = families.get(name) as Family
      if (family.samples.size > 0) throw new Error(`after its samples: ${line}`)
      families.set(name, what === 'HELP' ? { ...family, help: rest } : { ...family, type: rest })
      continue
    }
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
    const family = families.get(current ?? '')
    const plain = format === 'openmetrics' && family?.type === 'counter' ? `${current}_total` : current
    if (name === '' || !family || name !== plain) throw new Error(`no sample of ${current}: ${line}`)
    if (family.type === 'counter' && !name.endsWith('_total')) throw new Error(`a counter without _total: ${line}`)
    const key = readLabels(labels)
    if (family.samples.has(key)) throw new Error(`the same sample twice: ${line}`)
    family.samples.set(key, Number(value))
  }
  for (const [name, { type, help, samples }] of families) {
    if (!['gauge', 'counter'].includes(type) || help === '' || samples.size === 0) throw new Error(`incomplete: ${name}`)
  }
  return families
}

function readLabels(text: string): string {
  const labels: string[] = []
  for (let rest = text; rest !== ''; ) {
    const [whole, name, value] = LABEL.exec(rest) ?? []
    if (whole === undefined) throw new Error(`no labels: {${text}}`)
    labels.push(`${name}=${value}`)
    rest = rest.slice(whole.length)
  }
  if (new Set(labels.map((label) => label.split('=')[0])).size !== labels.length) throw new Error(`a label twice: {${text}}`)
  return labels.sort().join(',')
}
