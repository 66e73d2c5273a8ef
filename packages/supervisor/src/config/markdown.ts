import { describe } from './fault.ts'
import { presetNames, presets } from './presets.ts'
import type { Row } from './row.ts'
import { paths, table } from './table.ts'

const BEGIN = '<!-- options:begin -->'
const END = '<!-- options:end -->'

/** The documented options as a table in Markdown. */
export function optionTable(): string {
  const lines = ['| Option | Default | Meaning | Values |', '|---|---|---|---|']
  for (const path of paths) {
    const row: Row<unknown> = table[path]
    if (!row.hidden) lines.push(`| \`${path}\` | ${cell(defaultOf(row))} | ${cell(meaningOf(row))} | ${cell(valuesOf(row))} |`)
  }
  return lines.join('\n')
}

/** What the presets change, side by side. */
export function presetTable(): string {
  const changed = paths.filter((path) => presetNames.some((name) => presets[name][path] !== undefined))
  const lines = [`| Preset | ${presetNames.map((name) => `\`${name}\``).join(' | ')} |`, `|---|${'---|'.repeat(presetNames.length)}`]
  for (const path of changed) {
    const chosen = (preset: unknown): string => (preset === undefined ? defaultOf(table[path]) : shownAs(preset))
    const cells = presetNames.map((name) => cell(chosen(presets[name][path])))
    lines.push(`| \`${path}\` | ${cells.join(' | ')} |`)
  }
  return lines.join('\n')
}

/** The document with the table between its two marks replaced; null if it has no such marks. */
export function withOptionTable(document: string): string | null {
  const from = document.indexOf(BEGIN)
  const to = document.indexOf(END, from)
  if (from < 0 || to < 0) return null
  return `${document.slice(0, from + BEGIN.length)}\n${optionTable()}\n\n${presetTable()}\n${document.slice(to)}`
}

function defaultOf({ shown, initial }: Row<unknown>): string {
  if (shown !== undefined) return shown
  return shownAs(initial)
}

const shownAs = (value: unknown): string => `\`${typeof value === 'string' ? value : describe(value)}\``

function meaningOf({ meaning, flag, environment }: Row<unknown>): string {
  const also = [flag === undefined ? '' : ` Flag: \`${flag}\`.`, environment === undefined ? '' : ` Environment: \`${environment}\`.`].join('')
  return `${meaning}.${also}`
}

/** Without the examples: the defaults beside it show the notation. */
function valuesOf({ kind }: Row<unknown>): string {
  return kind.expected.replace(/(,| with its unit,)? such as .*?(?=(, or false)?$)/, '')
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replace(/(?<!\\)\|/g, '\\|')
}
