import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { expectSentence, it } from './harness.ts'
import { runHere } from './in-process.ts'
import { initialFleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { CLI } from '../processes/harness/station.ts'
import { calmScenario, simulate } from '../simulator/runs.ts'

const scenario = {
  durationS: 600,
  load: [
    { atS: 0, requestsPerSecond: 50 },
    { atS: 60, requestsPerSecond: 800 },
  ],
  request: { cpuMs: 4, waitMs: 20 },
}

/** What a supervisor would have written in so many seconds. */
function journalOf(seconds: number): string {
  const settings = fleetSettings()
  const { turns } = simulate(settings, { ...calmScenario, load: [{ atMs: 0, requestsPerSecond: 150 }] }, seconds * 1000)
  return [{ kind: 'start', ...initialFleet(settings) }, ...turns.map(({ event }) => event)].map((line) => `${JSON.stringify(line)}\n`).join('')
}

async function write(folder: string, file: string, content: unknown): Promise<string> {
  await writeFile(path.join(folder, file), typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

it('simulates a scenario with neither an app nor a supervisor there; the same input gives the same bytes', async ({ cli }) => {
  const file = await write(cli.folder, 's.json', scenario)
  const [first, second, other] = [
    await cli.run(['simulate', file, '--json']),
    await cli.run(['simulate', file, '--json']),
    await cli.run(['simulate', file, '--json', '--seed', '2']),
  ]
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(second.stdout).toBe(first.stdout)
  expect(other.stdout).not.toBe(first.stdout)
  const { decisions, timeline, summary } = JSON.parse(first.stdout)
  expect(Object.keys(timeline[0])).toEqual(['atS', 'ready', 'target', 'cpu', 'queue', 'p95Ms'])
  expect(timeline).toHaveLength(600)
  expect(summary).toMatchObject({ workerHours: expect.any(Number), costUsd: expect.any(Number), sloViolationS: expect.any(Number), violations: [] })
  expect(summary.maxQueue).toBe(Math.max(...timeline.map(({ queue }: { queue: number | null }) => queue ?? 0)))
  expect(summary.maxQueue).toBeGreaterThan(1)
  const grown = decisions.filter(({ from, to }: { from: number; to: number }) => to > from)
  expect(grown.length).toBeGreaterThan(0)
  expect(summary.changes).toBe(decisions.filter(({ from, to }: { from: number; to: number }) => to !== from).length)
})

it('takes the policy from the config file, and tells a person what came of it', async ({ cli }) => {
  const file = await write(cli.folder, 's.json', scenario)
  await write(cli.folder, 'wide.json', { entry: './app.js', workers: { min: 6 }, cost: { budgetMonth: 20 } })
  const outcome = await runHere(cli.folder, ['simulate', file, '--config', 'wide.json'])
  expect(outcome).toMatchObject({ code: 0, stderr: '' })
  expect(outcome.stdout).toContain('The fleet kept its size.')
  expect(outcome.stdout).toContain('40 USD a month of a budget of 20 USD: more than 150 % of it')
})

it('tells what off-hours of the platform save', async ({ cli }) => {
  // Five minutes of three replicas, and five of two, since they go one at a time: half a replica less in the mean, 10 USD a month.
  const schedule = [{ cron: '0 8 * * *', for: '5m', min: 3 }]
  const replicas = { min: 1, max: 3, bootMs: 0, schedule }
  const load = [{ atS: 0, requestsPerSecond: 5 }]
  const file = await write(cli.folder, 's.json', { durationS: 600, startsAt: '2026-01-05T08:00:00Z', load, replicas })
  const outcome = await runHere(cli.folder, ['simulate', file])
  expect(outcome).toMatchObject({ code: 0, stderr: '' })
  expect(outcome.stdout).toMatch(/^off-hours {7}save (9\.9\d*|10) USD a month, 0\.083 replica-hours of the run$/m)
})

it('simulates a trace', async ({ cli }) => {
  const file = await write(cli.folder, 'night.csv', 'timeS,requestsPerSecond\n0,10\n120,400\n')
  const outcome = await runHere(cli.folder, ['simulate', file, '--json'])
  expect(JSON.parse(outcome.stdout).timeline).toHaveLength(120)
})

it('exits 1 and says so where an expectation of the scenario is not met', async ({ cli }) => {
  const file = await write(cli.folder, 's.json', { ...scenario, expect: { changes: { most: 0 } } })
  const outcome = await runHere(cli.folder, ['simulate', file])
  expect(outcome.code).toBe(1)
  expect(outcome.stdout).toMatch(/not as expected: changes is \d+; the scenario expects at most 0/)
})

it('exits 2 with one sentence for what cannot be read', async ({ cli }) => {
  const bad = await write(cli.folder, 'bad.json', '{ "durationS": 1,\n "load": [ { "atS": true } ] }')
  const options = await write(cli.folder, 'options.json', { ...scenario, config: { workers: { max: 0 } } })
  const replicas = await write(cli.folder, 'replicas.json', { ...scenario, replicas: { max: 2 } })
  const cases: readonly (readonly [words: readonly string[], sentence: string])[] = [
    [['simulate', bad], 'bad.json, line 2: load[0].atS true is not allowed'],
    [['simulate', 'none.json'], 'none.json does not exist'],
    [['simulate', '.'], '. is no scenario; expected a file that ends in'],
    [['simulate', options], 'options.json: workers.max'],
    [['simulate', replicas, '--compare'], '--compare is for one replica'],
    [['simulate', options, '--seed', '-1'], '--seed -1 is not allowed'],
    [['simulate', options, '--config', 'none.ts'], 'none.ts does not exist'],
  ]
  for (const [words, sentence] of cases) {
    const outcome = await runHere(cli.folder, words)
    expect([words, outcome.code]).toEqual([words, 2])
    expect(outcome.stderr).toContain(sentence)
    expectSentence(outcome.stderr)
  }
})

it.for(['long.jsonl', 'long.csv', 'long.json'])('exits 2 at once for a file that is larger than any recording: %s', async (file, { cli }) => {
  const sparse = await open(path.join(cli.folder, file), 'w')
  await sparse.truncate(256_000_001)
  await sparse.close()
  const outcome = await runHere(cli.folder, ['simulate', file])
  expect(outcome).toMatchObject({ code: 2, stdout: '' })
  expect(outcome.stderr).toContain(`${file} has 256000001 bytes; at most 256000000 are read`)
  expectSentence(outcome.stderr)
})

it('exits 2 with file, line and value for a journal with a field that nobody knows', async ({ cli }) => {
  const journal = journalOf(5).replace('"kind":"started"', '"kind":"started","soon":1')
  const outcome = await runHere(cli.folder, ['simulate', await write(cli.folder, 'night.jsonl', journal)])
  expect(outcome).toMatchObject({ code: 2, stdout: '' })
  expect(outcome.stderr).toContain('night.jsonl, line 2: soon 1 is not part of a journal')
  expectSentence(outcome.stderr)
})

it('searches seeds on all cores, says that nothing was found, and takes only numbers', async ({ cli }) => {
  const [found, again, wrong] = [
    await cli.run(['simulate', '--fuzz', '12']),
    await cli.run(['simulate', '--fuzz', '1', '--seed', '7']),
    await cli.run(['simulate', '--fuzz', 'x']),
  ]
  expect(found).toMatchObject({ code: 0, stderr: '' })
  expect(found.stdout).toMatch(/^12 seeds, \d+ steps: no rule was broken/)
  expect(again.stdout).toMatch(/^1 seed, /)
  expect(wrong.code).toBe(2)
  expectSentence(wrong.stderr)
})

it('writes a report beside what it prints, and says where it cannot', async ({ cli }) => {
  const file = await write(cli.folder, 's.json', scenario)
  const outcome = await runHere(cli.folder, ['simulate', file, '--report', 'out.html'])
  expect(outcome).toMatchObject({ code: 0, stderr: '' })
  expect(await readFile(path.join(cli.folder, 'out.html'), 'utf8')).toMatch(/^<!doctype html>/)
  const refused = await runHere(cli.folder, ['simulate', file, '--report', 'none/out.html'])
  expect(refused.code).toBe(2)
  expectSentence(refused.stderr)
})

it("asks the app's own policy, and tells of one that fails", async ({ cli }) => {
  const file = await write(cli.folder, 's.json', scenario)
  await write(cli.folder, 'own.mjs', 'export default { scaling: { policy: () => 3 } }')
  await write(cli.folder, 'broken.mjs', 'export default { scaling: { policy: () => { throw new Error("no idea") } } }')
  const own = await runHere(cli.folder, ['simulate', file, '--config', 'own.mjs', '--json'])
  expect(JSON.parse(own.stdout).summary).toMatchObject({ maxReady: 3, changes: 1, violations: [] })
  const broken = await runHere(cli.folder, ['simulate', file, '--config', 'broken.mjs'])
  expect(broken.stdout).toMatch(/scaling\.policy failed \(Error: no idea\)/)
})

it('shows two configurations side by side on one recording, and what really happened', async ({ cli }) => {
  const recording = await write(cli.folder, 'night.jsonl', journalOf(300))
  await write(cli.folder, 'a.json', { entry: './app.js', workers: { min: 2 } })
  await write(cli.folder, 'b.json', { entry: './app.js', workers: { min: 5 } })
  const told = await runHere(cli.folder, ['simulate', recording, '--config', 'a.json', '--config', 'b.json'])
  expect(told).toMatchObject({ code: 0, stderr: '' })
  expect(told.stdout).toMatch(/^this policy .*\n(.*\n)?b\.json .*\n(.*\n)?recorded /m)
  const { comparison } = JSON.parse((await runHere(cli.folder, ['simulate', recording, '--config', 'a.json', '--config', 'b.json', '--json'])).stdout)
  expect(comparison.map(({ name }: { name: string }) => name)).toEqual(['b.json', 'recorded'])
  expect(comparison[0].summary.maxReady).toBeGreaterThanOrEqual(5)
  const refused = await runHere(cli.folder, ['simulate', '--fuzz', '1', '--config', 'a.json', '--config', 'b.json'])
  expect(refused.code).toBe(2)
  expectSentence(refused.stderr)
})

it('exits 2 with line and value for a trace and a recording that are broken', async ({ cli }) => {
  const cases: readonly (readonly [file: string, text: string, sentence: string])[] = [
    ['nan.csv', 'timeS,requestsPerSecond\n0,NaN\n', 'nan.csv, line 2: requestsPerSecond "NaN" is not allowed'],
    ['back.csv', 'timeS,requestsPerSecond\n9,1\n5,1\n', 'back.csv, line 3: timeS 5 goes back in time'],
    ['cut.csv', 'timeS,requestsPerSecond\n0,1\n60', 'cut.csv, line 3: "60" has 1 columns'],
    ['more.csv', 'timeS,requestsPerSecond,colour\n0,1,red\n', 'more.csv, line 1: "timeS,requestsPerSecond,colour" is not the header'],
    ['cut.jsonl', journalOf(10).slice(0, -40), 'is not JSON; where the file was cut off'],
    ['nan.jsonl', `${journalOf(10)}{"kind":"sampled","nowMs":20000,"wallMs":NaN}\n`, 'is not JSON'],
    ['huge.jsonl', `${journalOf(10)}{"kind":"woken","nowMs":1e999}\n`, 'nowMs Infinity is not allowed; expected a number'],
    ['long.jsonl', `${journalOf(10)}{"kind":"woken","nowMs":1e15}\n`, 'is too long after the first event at 0; expected at most 3000000 ticks'],
    ['still.jsonl', journalOf(10).replace('"tickMs":1000', '"tickMs":0'), 'still.jsonl, line 1: settings.tickMs 0 is not allowed'],
    [
      'words.jsonl',
      journalOf(10).replace('"queueTimes":[],"signals"', '"queueTimes":"x","signals"'),
      'samples[0].report.queueTimes "x" is not allowed',
    ],
    ['back.jsonl', `${journalOf(10)}{"kind":"woken","nowMs":1}\n`, 'nowMs 1 goes back in time'],
    ['other.jsonl', `${journalOf(10)}{"kind":"melted","nowMs":20000}\n`, 'kind "melted" is no event'],
  ]
  for (const [file, text, sentence] of cases) {
    await write(cli.folder, file, text)
    const outcome = await runHere(cli.folder, ['simulate', file])
    expect([file, outcome.code]).toEqual([file, 2])
    expect(outcome.stderr).toContain(sentence)
    expectSentence(outcome.stderr)
  }
})

const others = ['22', '26'].flatMap((version) => {
  const node = path.join(import.meta.dirname, `../../scripts/node_modules/node${version}/bin/node`)
  return existsSync(node) ? [[version, node] as const] : []
})

if (others.length === 0) console.log('The same bytes on every supported Node are not tried: Node 22 and 26 are not installed (npm test does that).')
it.skipIf(others.length === 0)('prints the same bytes on every supported Node', async ({ cli }) => {
  // Everything that chance and arithmetic touch: a rush, faults, prediction, which uses exponentials, and the policies of others.
  const faults = ['crash', 'hang', 'late-reports', 'slow-boot'].map((kind, index) => ({ atS: 100 + 60 * index, kind, forS: 20 }))
  const file = await write(cli.folder, 's.json', { ...scenario, faults, config: { scaling: { preset: 'responsive' } } })
  const words = [CLI, 'simulate', file, '--json', '--compare']
  const outputOf = async (node: string): Promise<string> => (await promisify(execFile)(node, words, { cwd: cli.folder, maxBuffer: 1e9 })).stdout
  const here = await outputOf(process.execPath)
  expect(JSON.parse(here).timeline).toHaveLength(600)
  for (const [version, node] of others) expect([version, (await outputOf(node)) === here]).toEqual([version, true])
})
