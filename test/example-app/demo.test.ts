import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import demoConfig from '../../packages/example-app/demo.config.ts'
import { familyOf, isAlive, kill, listProcesses } from '../../packages/example-app/src/services/process-table.ts'
import { until } from './processes.ts'

const demoFile = fileURLToPath(new URL('../../packages/example-app/src/demo.ts', import.meta.url))

test('the demo brings clients that stay to workers that come later', () => {
  expect(demoConfig.routing).toMatchObject({ rebalance: true })
})

let folder = ''
const family = new Set<number>()

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
  family.clear()
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
  for (const pid of [...family].filter(isAlive)) kill(pid, 'SIGKILL')
})

type Demo = { readonly pid: number; readonly report: string; output(): string; readonly code: Promise<number | null> }

function startDemo(): Demo {
  const report = join(folder, 'report.html')
  // Its temporary files are to be in our folder, so that we see what is left of them.
  const env = { ...process.env, TMPDIR: folder }
  const demo = spawn(process.execPath, [demoFile, '--quick', '--report', report], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [demo.stdout, demo.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const watch = setInterval(() => familyOf(demo.pid ?? 0).forEach((pid) => family.add(pid)), 100)
  const code = once(demo, 'exit').then(([exitCode]) => {
    clearInterval(watch)
    return exitCode as number | null
  })
  return { pid: demo.pid ?? 0, report, output: () => output, code }
}

const leftovers = (): { processes: number[]; files: string[] } => ({
  processes: [...family].filter(isAlive),
  files: readdirSync(folder).filter((name) => name !== 'report.html'),
})

test('the fleet grows and shrinks, nothing fails, and the report is one file', async () => {
  const demo = startDemo()
  expect(await demo.code, demo.output()).toBe(0)
  const output = demo.output()
  expect(output).toMatch(/failed +0\n/)
  expect(output).toMatch(/workers +1 → 2 → (.+ → )?1\n/)
  expect(output).toMatch(/sessions forgotten +0 of 5\n/)
  expect(output).toMatch(/first request served, spare +[\d.]+ m?s/)
  expect(output).toMatch(/first request served, cold start +[\d.]+ m?s/)
  const html = readFileSync(demo.report, 'utf8')
  expect(html.match(/<svg /g)).toHaveLength(6)
  expect(html).not.toMatch(/https?:|url\(|@import|\bsrc=|<link(?! rel="icon" href="data:,">)/)
  expect(html).not.toMatch(/NaN|undefined|Infinity/)
  expect(leftovers()).toEqual({ processes: [], files: [] })
}, 240_000)

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle ends it, without a report and without anything left',
  async (signal) => {
    const demo = startDemo()
    await until('the play has begun', () => demo.output().includes('calm'), 60_000)
    process.kill(demo.pid, signal)
    expect(await demo.code).toBe(signal === 'SIGINT' ? 130 : 143)
    expect(family.size).toBeGreaterThan(4)
    expect(existsSync(demo.report)).toBe(false)
    expect(leftovers()).toEqual({ processes: [], files: [] })
  },
  120_000,
)

test('a supervisor that dies in the middle is told of, and nothing is left', async () => {
  const demo = startDemo()
  await until('the play has begun', () => demo.output().includes('calm'), 60_000)
  const supervisor = listProcesses().find(({ pid, command }) => family.has(pid) && /cli\.js start/.test(command))
  expect(supervisor).toBeDefined()
  kill(supervisor?.pid ?? 0, 'SIGKILL')
  expect(await demo.code).toBe(1)
  expect(demo.output()).toContain('The supervisor ended during the demo. The log of the supervisor ends with:')
  expect(existsSync(demo.report)).toBe(false)
  await until('its workers have ended', () => leftovers().processes.length === 0)
  expect(leftovers().files).toEqual([])
}, 120_000)

test('an option that it does not have is named', async () => {
  const demo = spawn(process.execPath, [demoFile, '--quik'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  demo.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  expect((await once(demo, 'close'))[0]).toBe(2)
  expect(text).toContain("'--quik'")
  expect(text.trim().split('\n')).toHaveLength(1)
})
