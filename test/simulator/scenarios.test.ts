import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { type Outcome, simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import { runHere } from '../cli/in-process.ts'

const supervisor = path.join(import.meta.dirname, '../../packages/supervisor')
const folder = path.join(supervisor, 'scenarios')
const files = readdirSync(folder)

function outcomeOf(file: string): Outcome {
  const plan = readScenario(readFileSync(path.join(folder, file), 'utf8'), file)
  const { cpus, memoryBytes } = plan.scenario.host
  const context = { baseFolder: folder, environment: {}, capacity: { cpus, memoryBytes, source: 'host' as const }, isTerminal: false }
  const { fleet, cost } = resolveOptions({ entry: './app.js', ...plan.options }, context)
  return simulate(plan, { ...fleet, tickMs: plan.tickMs }, cost)
}

const outcomes = new Map(files.map((file) => [file, outcomeOf(file)]))
const named = (name: string): Outcome => outcomes.get(`${name}.json`) as Outcome

test.for(files)('%s comes out as its file expects, and breaks no rule', (file) => {
  const { summary } = outcomes.get(file) as Outcome
  expect(summary.violations).toEqual([])
  expect(summary.unmet).toEqual([])
  expect(Object.keys(readScenario(readFileSync(path.join(folder, file), 'utf8'), file).expect).length).toBeGreaterThan(0)
})

test('memory-bound: the decision says that more workers cannot help and replicas are needed', () => {
  const held = named('memory-bound').decisions.flatMap(({ heldBackBy }) => heldBackBy)
  expect(held.join('\n')).toMatch(/capacity: .*memory.*replicas are needed/)
})

test('one-worker-hot: growth ends where the others would idle, and the decision says for whom they would', () => {
  const held = named('one-worker-hot').decisions.flatMap(({ heldBackBy }) => heldBackBy)
  expect(held.join('\n')).toMatch(/lopsided: one worker uses (9\d|100) % .* and the others \d\d % in the mean/)
  expect(held.join('\n')).not.toContain('replicas are needed')
})

test('websockets: memory alone makes it grow, and it shrinks only when memory is free again', () => {
  const { decisions } = named('websockets')
  const grown = decisions.filter(({ from, to }) => to > from)
  expect(grown.map(({ reason }) => reason)).toEqual(grown.map(() => expect.stringMatching(/^memory \d+ % above 80 %/)))
  expect(decisions.some(({ from, to, reason }) => to < from && reason.includes('memory'))).toBe(true)
})

test('flash-crowd: the first growth comes within four seconds of the rush, by the surge lane', () => {
  const [first] = named('flash-crowd').decisions.filter(({ from, to }) => to > from)
  expect(first).toMatchObject({ lane: 'surge' })
  expect((first?.atMs ?? Number.NaN) - 300_000).toBeLessThanOrEqual(4000)
})

const guide = readFileSync(path.join(supervisor, 'docs/choose-your-policy.md'), 'utf8')
/** What the guide shows of a command: the block below it. */
const shown = [...guide.matchAll(/^\$ stationmaster (simulate .*)\n([^]*?)^```/gm)].map(([, command = '', output = '']) => ({ command, output }))

test('the guide shows commands', () => {
  expect(shown.length).toBeGreaterThanOrEqual(3)
})

test.for(shown)('the guide shows what `$command` prints', async ({ command, output }) => {
  const { stdout, stderr } = await runHere(supervisor, command.split(' '))
  expect(stderr).toBe('')
  const printed = stdout.split('\n').map((line) => line.trimEnd())
  for (const line of output.trimEnd().split('\n')) if (line !== '…') expect(printed).toContain(line)
})

test('the guide names every scenario of the library', () => {
  for (const file of files) expect(guide).toContain(file)
})
