import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Machine } from './machine.ts'
import type { Outcome, Row } from './row.ts'

const FOLDER = fileURLToPath(new URL('../results', import.meta.url))

export interface Measured {
  readonly row: Row
  /** Or why there is none. */
  readonly outcome: Outcome | { readonly error: string }
}

const HEAD = ['What', 'Must reach', 'Measured', 'Reached', 'Rounds', 'For comparison']

/** A table that reads the same in a terminal and as Markdown. */
export function tableOf(measured: readonly Measured[]): string {
  const lines = [HEAD, ...measured.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)))
  const padded = lines.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)))
  const rule = widths.map((width) => '-'.repeat(width))
  return [padded[0] ?? [], rule, ...padded.slice(1)].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Writes the table and everything behind it; returns the table's path. */
export function writeResults(measured: readonly Measured[], machine: Machine, date: Date): string {
  mkdirSync(FOLDER, { recursive: true })
  const name = path.join(FOLDER, date.toISOString().slice(0, 10))
  const { cpus, model, memoryGb, system, node } = machine
  const where = `${cpus} CPUs (${model}), ${memoryGb} GB, ${system}, Node ${node}`
  const heading = `# Measured on ${date.toISOString().slice(0, 16).replace('T', ' ')} UTC\n\n${where}. One run, everything on this machine, load included.`
  writeFileSync(`${name}.md`, `${heading}\n\n${tableOf(measured)}\n`)
  const rows = measured.map(({ row, outcome }) => ({ name: row.name, title: row.title, must: row.must, ...outcome }))
  writeFileSync(`${name}.json`, `${JSON.stringify({ date: date.toISOString(), machine, rows }, null, 2)}\n`)
  return `${name}.md`
}

function cellsOf({ row, outcome }: Measured): string[] {
  if ('error' in outcome) return [row.title, row.must, 'not measured', 'NO', outcome.error.split('\n')[0] ?? '', '']
  return [row.title, row.must, outcome.measured, outcome.reached ? 'yes' : 'NO', outcome.spread, outcome.comparison]
}
