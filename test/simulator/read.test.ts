import { expect, test } from 'vitest'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { readTrace } from '../../packages/supervisor/src/simulator/read-trace.ts'

const full = `{ "durationS": 3600, "tickMs": 1000, "seed": 1,
  "load": [ { "atS": 0, "requestsPerSecond": 50 }, { "atS": 600, "requestsPerSecond": 800 } ],
  "request": { "cpuMs": 4, "waitMs": 20 },
  "worker": { "bootMs": 1500, "memoryBytes": 90e6, "memoryPerRequestBytes": 2e5 },
  "host": { "cpus": 8, "memoryBytes": 8e9 },
  "faults": [ { "atS": 900, "kind": "crash", "worker": "any" } ] }`

/** What is changed in the full scenario, and the one sentence that must come of it. */
const badScenarios: readonly (readonly [from: string, to: string, sentence: string])[] = [
  ['"durationS": 3600', '"durationS": "1h"', 's.json, line 1: durationS "1h" is not allowed; expected a number of seconds from 1 to 2764800.'],
  ['"durationS": 3600, ', '', 's.json, line 1: durationS is missing; expected a number of seconds from 1 to 2764800.'],
  ['"durationS": 3600', '"durationS": 1e999', 's.json, line 1: durationS Infinity is not allowed; expected a number of seconds from 1 to 2764800.'],
  ['"tickMs": 1000', '"tickMs": 0', 's.json, line 1: tickMs 0 is not allowed; expected a whole number from 100 to 60000.'],
  ['"seed": 1', '"sede": 1', 's.json, line 1: sede is not part of a scenario; did you mean seed?'],
  ['"atS": 600', '"atS": -1', 's.json, line 2: load[1].atS -1 is not allowed; expected a number of seconds from 0 to 2764800.'],
  [
    '"requestsPerSecond": 800',
    '"requestsPerSecond": null',
    's.json, line 2: load[1].requestsPerSecond null is not allowed; expected a number from 0 to 10000000.',
  ],
  ['{ "atS": 0,', '{ "atS": 700,', 's.json, line 2: load[1].atS 600 goes back in time; the point before it is at 700.'],
  ['"waitMs": 20', '"waitMs": -20', 's.json, line 3: request.waitMs -20 is not allowed; expected a number of milliseconds from 0 to 86400000.'],
  ['"bootMs": 1500', '"boot": 1500', 's.json, line 4: worker.boot is not part of a scenario; the fields here are bootMs, memoryBytes,'],
  ['"cpus": 8', '"cpus": 0', 's.json, line 5: host.cpus 0 is not allowed; expected a number from 0.01 to 1024.'],
  ['"crash"', '"explode"', 's.json, line 6: faults[0].kind "explode" is not allowed; expected "crash" or "hang"'],
  ['"crash"', '"replica-crash"', 's.json, line 6: faults[0].kind "replica-crash" is for several replicas; add "replicas": { "min": 2 }'],
  ['"crash", "worker": "any" } ] }', '"crash"', 's.json, line 6: this is not JSON:'],
  ['"faults": [', '"config": 3, "faults": [', 's.json, line 6: config 3 is not allowed; expected an object of options.'],
  [
    '"seed": 1',
    '"signals": { "cpu": [] }',
    "s.json, line 1: signals.cpu is not allowed; expected the name of a signal of the app's own, such as jobs.",
  ],
  ['"seed": 1', '"signals": { "jobs": [] }', 's.json, line 1: signals.jobs [] is empty; expected at least one point.'],
  ['"seed": 1', '"signals": { "jobs": [ { "atS": 0 } ] }', 's.json, line 1: signals.jobs[0].value is missing; expected a number.'],
  [
    '"seed": 1',
    '"signals": { "jobs": [ { "atS": 9, "value": 1 }, { "atS": 5, "value": 1 } ] }',
    's.json, line 1: signals.jobs[1].atS 5 goes back in time; the point before it is at 9.',
  ],
  [
    '"waitMs": 20',
    '"queueTimeMs": "20"',
    's.json, line 3: request.queueTimeMs "20" is not allowed; expected a number of milliseconds, or a list of points',
  ],
  ['"waitMs": 20', '"queueTimeMs": [ { "atS": 0, "value": -1 } ]', 's.json, line 3: request.queueTimeMs[0].value -1 is not allowed'],
  ['"seed": 1', '"seed": 1, "startsAt": "2026-13-45T00:00:00Z"', 's.json, line 1: startsAt "2026-13-45T00:00:00Z" is no date'],
  [
    '"durationS": 3600, "tickMs": 1000',
    '"durationS": 2000000, "tickMs": 100',
    's.json, line 1: durationS 2000000 is too long for ticks of 100 ms; expected at most 3000000 ticks.',
  ],
]

test.for(badScenarios)('a scenario with %s as %s', ([from, to, sentence]) => {
  expect(full).toContain(from)
  expect(() => readScenario(full.replace(from, to), 's.json')).toThrow(expect.objectContaining({ code: 'SM_SCENARIO_INVALID', fault: 'option' }))
  expect(() => readScenario(full.replace(from, to), 's.json')).toThrow(sentence)
})

test.for(['', '[]', '3', 'null', '"x"', '{', '{"durationS":1,"load":[]}', '{"durationS":1,"load":{}}', '{"__proto__":1}', '\u0000'])(
  'text that is no scenario is refused in one sentence: %j',
  (text) => {
    expect(() => readScenario(text, 's.json')).toThrow(/^s\.json, line 1: [^\n]+\.$/)
  },
)

test('a scenario of the documented form is understood; what it leaves out is as documented', () => {
  const plan = readScenario(full, 's.json')
  expect(plan).toMatchObject({ durationMs: 3_600_000, tickMs: 1000, objectiveMs: 500, expect: {} })
  expect(plan.scenario).toMatchObject({ seed: 1, request: { cpuMs: 4, waitMs: 20 }, faults: [{ atMs: 900_000, kind: 'crash', worker: 'any' }] })
})

const header = 'timeS,requestsPerSecond'

const badTraces: readonly (readonly [text: string, sentence: string])[] = [
  ['', 't.csv, line 1: "" is not the header of a trace; expected timeS,requestsPerSecond.'],
  ['time,rps\n0,1', 't.csv, line 1: "time,rps" is not the header of a trace; expected timeS,requestsPerSecond.'],
  [header, 't.csv, line 1: the trace ends here, without a time after 0; expected at least one row such as 60,100.'],
  [`${header}\n0,1\n60,abc`, 't.csv, line 3: requestsPerSecond "abc" is not allowed; expected a number from 0 to 10000000.'],
  [`${header}\n0,NaN`, 't.csv, line 2: requestsPerSecond "NaN" is not allowed; expected a number from 0 to 10000000.'],
  [`${header}\n0,1\n60,-5`, 't.csv, line 3: requestsPerSecond "-5" is not allowed; expected a number from 0 to 10000000.'],
  [`${header}\n0,1\n60,5\n30,5`, 't.csv, line 4: timeS 30 goes back in time; the row before it is at 60.'],
  [`${header}\n0,1,2`, 't.csv, line 2: "0,1,2" has 3 columns; expected 2: timeS,requestsPerSecond.'],
  [`${header}\n0,1\n60`, 't.csv, line 3: "60" has 1 columns; expected 2: timeS,requestsPerSecond.'],
  [`${header}\n0,1\n\n60,1`, 't.csv, line 3: "" has 1 columns; expected 2: timeS,requestsPerSecond.'],
  [`${header}\n0,1\n${'9'.repeat(400)},1`, `t.csv, line 3: timeS "${'9'.repeat(59)}…" is not allowed; expected a number from 0 to 2764800.`],
]

test.for(badTraces)('a trace %j', ([text, sentence]) => {
  expect(() => readTrace(text, 't.csv')).toThrow(sentence)
})

test('a trace is understood, with the line ends of any system', () => {
  const plan = readTrace(`${header}\r\n0,10\r\n60,100\r\n`, 't.csv')
  expect(plan.durationMs).toBe(60_000)
  expect(plan.scenario.load).toEqual([
    { atMs: 0, requestsPerSecond: 10 },
    { atMs: 60_000, requestsPerSecond: 100 },
  ])
})
