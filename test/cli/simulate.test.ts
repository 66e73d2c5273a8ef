import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'vitest'
import { expectSentence, it } from './harness.ts'
import { runHere } from './in-process.ts'

const scenario = {
  durationS: 600,
  load: [
    { atS: 0, requestsPerSecond: 50 },
    { atS: 60, requestsPerSecond: 800 },
  ],
  request: { cpuMs: 4, waitMs: 20 },
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
  const cases: readonly (readonly [words: readonly string[], sentence: string])[] = [
    [['simulate', bad], 'bad.json, line 2: load[0].atS true is not allowed'],
    [['simulate', 'none.json'], 'none.json does not exist'],
    [['simulate', '.'], '. is no scenario; expected a file that ends in'],
    [['simulate', options], 'options.json: workers.max'],
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
