import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'vitest'
import { fuzz as fuzzCommand } from '../../packages/supervisor/src/operator/commands/fuzz.ts'
import { runSimulation } from '../../packages/supervisor/src/operator/commands/simulate.ts'
import { fuzz } from '../../packages/supervisor/src/simulator/fuzz.ts'
import { simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import { type Core, MUTANTS, endsEarly } from '../simulator/mutants.ts'
import { it } from './harness.ts'
import { hear } from './in-process.ts'

/** A command line that was printed, as words. */
function wordsOf(printed: string): string[] {
  const line = printed.split('\n').find((each) => each.startsWith('Show it again: stationmaster simulate '))
  return [...(line ?? '').slice('Show it again: '.length).matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? (plain as string))
}

const valueOf = (words: readonly string[], flag: string): string => words[words.indexOf(flag) + 1] ?? ''

for (const [fault, core, sentence] of MUTANTS)
  it(`--fuzz shows a core that ${fault} by seed, step, smallest life and last steps; the command it prints shows the same again`, async ({ cli }) => {
    const search = (count: string, seed: string) =>
      hear(cli.folder, (context) => fuzzCommand(context, count, { seed }, (given) => Promise.resolve(fuzz({ ...given, stride: 1 }, core))))
    const { code, stdout } = await search('20', '1')
    expect(code).toBe(1)
    const words = wordsOf(stdout)
    const seed = valueOf(words, '--seed')
    expect(words).toEqual(['stationmaster', 'simulate', '--fuzz', '1', '--seed', expect.stringMatching(/^\d+$/)])
    expect(stdout).toMatch(new RegExp(`^Seed ${seed}, step \\d+: .*${sentence}`, 'm'))
    const [smallest, lastSteps] = stdout.split('The smallest life found that still breaks it:\n')[1]?.split('Its last steps:\n') ?? []
    expect(smallest).toMatch(/^ {2}at \d+ ms {2}\d+ requests\/s$/m)
    expect(lastSteps).toMatch(/^ {2}.* sampled \d+ workers$/m)
    const again = await search(valueOf(words, '--fuzz'), seed)
    expect(again).toEqual({ code: 1, stdout, stderr: '' })
  })

/** A run of `simulate` by a core of ours. */
const runBy =
  (core: Core): typeof simulate =>
  (plan, settings, prices, options) =>
    simulate(plan, settings, prices, { ...options, step: core })

const scenario = {
  durationS: 120,
  seed: 7,
  load: [{ atS: 0, requestsPerSecond: 50 }],
  operator: [{ atS: 60, ask: 'reload' }],
}

it('a scenario in which a rule is broken shows seed, step, the last steps and the command that shows it again', async ({ cli }) => {
  const file = 'a reload.json'
  await writeFile(path.join(cli.folder, file), JSON.stringify(scenario))
  await writeFile(path.join(cli.folder, 'two.json'), JSON.stringify({ entry: './app.js', workers: { min: 2 } }))
  const { code, stdout } = await hear(cli.folder, (context) => runSimulation(context, file, { config: ['two.json'] }, runBy(endsEarly)))
  expect(code).toBe(1)
  expect(stdout).toMatch(/^broken rule: at 60000 ms, after reloadRequested: the supervisor ended and left \d workers$/m)
  expect(stdout).toMatch(
    /^Seed 7, step (6\d|7\d)\. The last steps until then:\n(?: {2}.*\n)+ {2}.*reloadRequested \{"requestId":1\}\n(?: {2}.*\n)*\nShow it again: /m,
  )
  const words = wordsOf(stdout)
  expect(words).toEqual(['stationmaster', 'simulate', file, '--seed', '7', '--config', 'two.json'])
  const again = await hear(cli.folder, (context) =>
    runSimulation(context, file, { seed: valueOf(words, '--seed'), config: [valueOf(words, '--config')] }, runBy(endsEarly)),
  )
  expect(again).toEqual({ code: 1, stdout, stderr: '' })
})

it('a scenario in which no rule is broken says nothing of them', async ({ cli }) => {
  await writeFile(path.join(cli.folder, 's.json'), JSON.stringify(scenario))
  const { code, stdout } = await hear(cli.folder, (context) => runSimulation(context, 's.json', {}))
  expect(code).toBe(0)
  expect(stdout).not.toMatch(/broken rule|Show it again|last steps/)
})
