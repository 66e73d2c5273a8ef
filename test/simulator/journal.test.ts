import { expect, test } from 'vitest'
import { initialFleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { comparePeers } from '../../packages/supervisor/src/simulator/compare.ts'
import { planFromJournal } from '../../packages/supervisor/src/simulator/plan-from-journal.ts'
import { readJournal } from '../../packages/supervisor/src/simulator/read-journal.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { replayRun } from '../../packages/supervisor/src/simulator/replay-run.ts'
import type { Scenario } from '../../packages/supervisor/src/simulator/scenario.ts'
import { simulate as simulatePlan } from '../../packages/supervisor/src/simulator/simulate.ts'
import { fleetSettings, reportOf } from '../fleet/driver.ts'
import { calmScenario, simulate } from './runs.ts'

const settings = fleetSettings()
const prices = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }
const load = [
  { atMs: 0, requestsPerSecond: 0 },
  { atMs: 20_000, requestsPerSecond: 50, step: true },
  { atMs: 200_000, requestsPerSecond: 500 },
]

/** What a supervisor would have written that lived through this. */
function journal(
  scenario: Scenario = { ...calmScenario, load },
  of = settings,
): { readonly text: string; readonly run: ReturnType<typeof simulate> } {
  const run = simulate(of, scenario, 400_000)
  const lines = [{ kind: 'start', ...initialFleet(of) }, ...run.turns.map(({ event }) => event)]
  return { text: lines.map((line) => `${JSON.stringify(line)}\n`).join(''), run }
}

test('a journal is read, replayed to the decisions that were made, and its load simulated to the same sizes', () => {
  const { text, run } = journal()
  const recording = readJournal(text, 'j.jsonl')
  const plan = planFromJournal(recording)
  const recorded = replayRun(plan, recording, prices)
  expect(recorded.decisions).toEqual(
    run.turns.flatMap(({ notes }) => notes.flatMap((note) => (note.kind === 'fleet:decided' ? [note.decision] : []))),
  )
  expect(plan.scenario.request.cpuMs).toBeCloseTo(4, 0)
  expect(plan.scenario.request.waitMs).toBeGreaterThan(15)
  expect(plan.scenario.request.waitMs).toBeLessThan(30)
  const again = simulatePlan(plan, settings, prices)
  expect(again.summary.violations).toEqual([])
  expect(Math.abs(again.summary.maxReady - recorded.summary.maxReady)).toBeLessThanOrEqual(1)
  expect(again.summary.requests / recorded.summary.requests).toBeCloseTo(1, 1)
})

test('what a request takes is told without the waiting for cores: what the simulated cores add again would count twice', () => {
  const host = { cpus: 2, memoryBytes: 8e9, others: [{ atMs: 0, cpus: 0.3 }] }
  const crowded = [
    { atMs: 0, requestsPerSecond: 50 },
    { atMs: 200_000, requestsPerSecond: 400, step: true },
  ]
  const { text, run } = journal({ ...calmScenario, load: crowded, host }, fleetSettings({ capacity: { cpus: 2 }, workers: { oversubscribe: true } }))
  const used = run.turns.flatMap(({ event }) => (event.kind === 'sampled' ? [event.usage.cpus as number] : []))
  expect(Math.max(...used)).toBeGreaterThan(1.8)
  expect(Math.min(...used)).toBeGreaterThanOrEqual(0.3)
  const { request, worker } = planFromJournal(readJournal(text, 'j.jsonl')).scenario
  expect(request.cpuMs).toBeGreaterThan(3.6)
  expect(request.cpuMs).toBeLessThan(4.4)
  expect(worker.cpuShare).toBeCloseTo(1, 1)
})

test('boots are told apart from what else the machine does, and take longer where cores are used up', () => {
  const host = { cpus: 4, memoryBytes: 8e9, others: [{ atMs: 0, cpus: 0.3 }] }
  const worker = { ...calmScenario.worker, bootMs: 3000, bootCpus: 0.6 }
  const { text } = journal({ ...calmScenario, load, host, worker }, fleetSettings({ capacity: { cpus: 4 } }))
  const { scenario } = planFromJournal(readJournal(text, 'j.jsonl'))
  expect(scenario.worker.bootCpus).toBeGreaterThan(0.45)
  expect(scenario.worker.bootCpus).toBeLessThan(0.65)
  expect(Math.max(...(scenario.host.others ?? []).map(({ cpus }) => cpus))).toBeLessThan(0.5)
  const bootsOf = (cpus: number): number[] =>
    simulate(fleetSettings({ workers: { min: 4 } }), { ...calmScenario, load, host: { ...host, cpus }, worker }, 60_000).turns.flatMap(({ notes }) =>
      notes.flatMap((note) => (note.kind === 'worker:ready' ? [note.bootMs] : [])),
    )
  expect(Math.min(...bootsOf(1))).toBeGreaterThan(1.5 * Math.max(...bootsOf(4)))
})

test('while loops were full only the sum of what came in is known: clients and the kernel held back what could not be read', () => {
  const answered = [20, 100, 140, 180, 20]
  const events = answered.map((requests, index) => {
    const report = reportOf({ requests, eventLoopUtilization: requests > 50 ? 1 : 0.2 })
    const samples = [{ workerId: 1, cpu: 0.5, memoryBytes: 1e8, report }]
    return { kind: 'sampled', nowMs: 1000 * (index + 1), wallMs: 0, samples, usage: { cpus: 0.5, memoryBytes: 1e8 } }
  })
  const text = [{ kind: 'start', ...initialFleet(settings) }, ...events].map((line) => `${JSON.stringify(line)}\n`).join('')
  const { scenario } = planFromJournal(readJournal(text, 'j.jsonl'))
  expect(scenario.load.map(({ requestsPerSecond }) => requestsPerSecond)).toEqual([20, 140, 140, 140, 20])
})

test('of a replica that shares its budget with others a journal is simulated as of one that has its equal part', () => {
  const database = planBudget({ budget: 90, reserve: 3, minPerWorker: 2, replicas: 2, isShared: true, minWorkers: 1 })
  const { summary } = simulatePlan(planFromJournal(readJournal(journal().text, 'j.jsonl')), { ...settings, database }, prices)
  expect(summary.violations).toEqual([])
  expect(summary.maxReady).toBeGreaterThan(1)
})

const lines = journal().text.split('\n')
const withLine = (number: number, line: string): string => [...lines.slice(0, number - 1), line, ...lines.slice(number)].join('\n')
const inStart = (from: string, to: string): string => withLine(1, changed(lines[0] as string, from, to))
// The first that carries a report: before it is ready a worker says nothing.
const sampled = lines.findIndex((line) => line.includes('"report":{')) + 1
const inSample = (from: string | RegExp, to: string): string => withLine(sampled, changed(lines[sampled - 1] as string, from, to))

function changed(line: string, from: string | RegExp, to: string): string {
  expect(line).toMatch(from)
  return line.replace(from, to)
}

function inReport(fields: object): string {
  const { samples, ...event } = JSON.parse(lines[sampled - 1] as string) as { samples: { report: object }[] }
  const [first, ...others] = samples
  return withLine(sampled, JSON.stringify({ ...event, samples: [{ ...first, report: { ...first?.report, ...fields } }, ...others] }))
}

const bad: readonly (readonly [what: string, text: string, sentence: string | RegExp])[] = [
  ['nothing', '', 'j.jsonl, line 1: an empty line is not JSON'],
  ['no start', lines.slice(1).join('\n'), 'j.jsonl, line 1: {"kind":"started"'],
  ['a start that is no fleet', withLine(1, '{"kind":"start"}'), 'j.jsonl, line 1: {"kind":"start"} is not the start of a journal'],
  [
    'a line cut off',
    `${lines.slice(0, 5).join('\n')}\n{"kind":"samp`,
    'j.jsonl, line 6: {"kind":"samp is not JSON; where the file was cut off, remove this line',
  ],
  ['a line that is no event', withLine(3, '[]'), 'j.jsonl, line 3: [] is no event'],
  ['an unknown kind', withLine(3, '{"kind":"__proto__","nowMs":1}'), 'j.jsonl, line 3: kind "__proto__" is no event'],
  ['time that is no number', withLine(3, '{"kind":"woken","nowMs":"x"}'), 'j.jsonl, line 3: nowMs "x" is not allowed; expected a number.'],
  ['time that goes back', withLine(9, '{"kind":"woken","nowMs":-5}'), 'j.jsonl, line 9: nowMs -5 goes back in time; the line before it is at'],
  [
    'samples that are none',
    withLine(sampled, '{"kind":"sampled","nowMs":1000,"wallMs":0,"usage":{},"samples":[{}]}'),
    `j.jsonl, line ${sampled}: samples[0].workerId is missing; expected a whole number that is not negative.`,
  ],
  [
    'a field of an event that nobody knows',
    withLine(3, '{"kind":"woken","nowMs":1,"soon":true}'),
    'j.jsonl, line 3: soon true is not part of a journal',
  ],
  [
    'a field of a sample that nobody knows',
    withLine(sampled, '{"kind":"sampled","nowMs":1000,"wallMs":0,"usage":{},"samples":[{"workerId":1,"cpus":0.5}]}'),
    `j.jsonl, line ${sampled}: samples[0].cpus 0.5 is not part of a journal`,
  ],
  [
    'a field of the fleet that nobody knows',
    withLine(1, (lines[0] as string).replace('"kind":"start"', '"kind":"start","crew":[1]')),
    'j.jsonl, line 1: crew [1] is not part of a journal of this version',
  ],
  [
    'time that is no time of this run',
    `${lines.join('\n')}{"kind":"woken","nowMs":1e15}`,
    /^j\.jsonl, line \d+: nowMs 1000000000000000 is too long after the first event at 0; expected at most 3000000 ticks of 1000 ms\.$/,
  ],
  [
    'ticks without length',
    inStart('"tickMs":1000', '"tickMs":0'),
    'j.jsonl, line 1: settings.tickMs 0 is not allowed; expected a number of milliseconds',
  ],
  ['no ticks', inStart(',"tickMs":1000', ''), 'j.jsonl, line 1: settings.tickMs is missing; expected a number of milliseconds from 100 to 60000.'],
  ['no cores', inStart('"cpus":10', '"cpus":0'), 'j.jsonl, line 1: settings.capacity.cpus 0 is not allowed; expected a number from 0.01'],
  [
    'no memory',
    inStart(`"memoryBytes":${settings.capacity.memoryBytes}`, '"memoryBytes":-1'),
    'j.jsonl, line 1: settings.capacity.memoryBytes -1 is not allowed; expected a number of bytes from 1 to',
  ],
  ['a target beyond all fleets', inStart('"target":1', '"target":1e9'), 'j.jsonl, line 1: target 1000000000 is not allowed; expected a whole number'],
  [
    'others that are no replicas',
    withLine(3, '{"kind":"peersHeard","nowMs":1,"ownId":"a","others":5}'),
    'j.jsonl, line 3: others 5 is not allowed; expected a list of',
  ],
  [
    'backends that are none',
    withLine(3, '{"kind":"backendsSeen","nowMs":1,"askedAtMs":1,"backends":"x","starting":0,"foreign":0,"goneWithinMs":null}'),
    'j.jsonl, line 3: backends "x" is not allowed; expected a list of',
  ],
  [
    'a lease that is none',
    withLine(3, '{"kind":"leaseUsed","nowMs":1,"workerId":1,"sequence":1,"holds":"x","inUse":0,"waiting":0,"external":0}'),
    'j.jsonl, line 3: holds "x" is not allowed; expected a whole number that is not negative.',
  ],
  ['a share of a core that is a word', inSample(/"cpu":[\d.]+/, '"cpu":"x"'), `j.jsonl, line ${sampled}: samples[0].cpu "x" is not allowed`],
  [
    'queue times that are none',
    inReport({ queueTimes: [7] }),
    'samples[0].report.queueTimes [7] is not allowed; expected buckets and counts in turns',
  ],
  ['response times in no order', inReport({ latencies: [7, 1, 7, 1] }), 'samples[0].report.latencies [7, 1, 7, 1] is not allowed; expected buckets'],
  ['signals that are no numbers', inReport({ signals: { jobs: 'x' } }), 'samples[0].report.signals.jobs "x" is not allowed; expected a number.'],
  ['a delay that is none', inReport({ eventLoopDelayP99Ms: null }), 'samples[0].report.eventLoopDelayP99Ms null is not allowed'],
  ['nothing measured', lines.slice(0, 3).join('\n'), 'j.jsonl, line 3: the journal ends here without a sample of the load'],
]

const ONE_SENTENCE = expect.objectContaining({ code: 'SM_SCENARIO_INVALID', message: expect.stringMatching(/^j\.jsonl, line \d+: [^\n]+\.$/) })

test.for(bad)('a journal with %s', ([, text, sentence]) => {
  expect(() => readJournal(text, 'j.jsonl')).toThrow(sentence)
  expect(() => readJournal(text, 'j.jsonl')).toThrow(ONE_SENTENCE)
})

test('policies of others decide on the same load, and the supervisor keeps its rules under them', () => {
  const plan = readScenario(JSON.stringify({ durationS: 600, load: load.map(({ atMs, ...point }) => ({ atS: atMs / 1000, ...point })) }), 's.json')
  const compared = comparePeers(plan, settings, prices)
  expect(compared.map(({ name }) => name)).toEqual(['pm2-autoscale', 'watt', 'hpa'])
  for (const { outcome } of compared) {
    expect(outcome.summary.violations).toEqual([])
    expect(outcome.summary.maxReady).toBeGreaterThan(1)
    expect(outcome.decisions.every(({ lane }) => lane === 'manual')).toBe(true)
  }
})
