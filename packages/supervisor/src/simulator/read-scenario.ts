import { describe, faultsOf } from '../config/fault.ts'
import { inputFault } from './input-fault.ts'
import { lineOfPath, linesOfJson } from './json-places.ts'
import { MOST_TICKS, type Plan, STANDARD, standardObjectiveMs } from './plan.ts'
import {
  FAULTS_OF_REPLICAS,
  type Fault,
  type OperatorRequest,
  type ReplicaModel,
  type Scenario,
  type SocketModel,
  type ToldPoint,
} from './scenario.ts'
import {
  type GivenFault,
  type GivenRequest,
  type GivenScenario,
  type GivenSockets,
  type GivenValue,
  type GivenWorker,
  scenarioKind,
} from './scenario-kind.ts'

/** So long do faults last that last, where nobody says how long. */
const STANDARD_FAULT_S = 60

/**
 * Understands a scenario.
 *
 * @throws StationmasterError `SM_SCENARIO_INVALID` with one sentence: file, line, value, what was expected
 */
export function readScenario(text: string, file: string): Plan {
  const { given, options } = parse(text, file)
  const fail = (path: string, sentencePart: string): never => {
    throw inputFault(file, lineOfPath(linesOfJson(text), path), `${path} ${sentencePart}`)
  }
  checkOrder(given, fail)
  checkRequests(given, fail)
  const { min = 1, max = min } = given.replicas ?? {}
  const lonely = given.replicas ? -1 : (given.faults ?? []).findIndex(({ kind }) => FAULTS_OF_REPLICAS.has(kind))
  if (lonely >= 0)
    fail(`faults[${lonely}].kind`, `${describe(given.faults?.[lonely]?.kind)} is for several replicas; add "replicas": { "min": 2 }, or take it out`)
  if (max < min) fail('replicas.max', `${max} is less than replicas.min ${min}`)
  const tickMs = given.tickMs ?? STANDARD.tickMs
  if ((given.durationS * 1000) / tickMs > MOST_TICKS)
    fail('durationS', `${given.durationS} is too long for ticks of ${tickMs} ms; expected at most ${MOST_TICKS} ticks`)
  const scenario = scenarioOf(given)
  const startsAtMs = new Date(given.startsAt ?? STANDARD.startsAt).getTime()
  if (Number.isNaN(startsAtMs)) fail('startsAt', `${describe(given.startsAt)} is no date; expected one such as "2026-01-05T08:00:00Z"`)
  return {
    about: given.about ?? '',
    scenario,
    durationMs: given.durationS * 1000,
    firstTarget: null,
    tickMs,
    startsAtMs,
    objectiveMs: given.objective?.p95Ms ?? standardObjectiveMs(scenario.request),
    options,
    expect: given.expect ?? {},
  }
}

function parse(text: string, file: string): { readonly given: GivenScenario; readonly options: object } {
  const whole = jsonOf(text, file)
  if (!isObject(whole)) throw inputFault(file, 1, `${describe(whole)} is no scenario; expected an object with durationS and load`)
  const { config: options = {}, ...rest } = whole
  const result = scenarioKind.schema.safeParse(rest)
  const [fault] = result.success ? [] : faultsOf(result.error.issues, rest, '', false)
  if (fault) {
    const path = fault.path.replace(/^\./, '')
    const value = fault.shown === null ? '' : ` ${fault.shown}`
    throw inputFault(file, lineOfPath(linesOfJson(text), path), `${path}${value} ${inWordsOfScenarios(fault.problem)}`)
  }
  if (!isObject(options))
    throw inputFault(file, lineOfPath(linesOfJson(text), 'config'), `config ${describe(options)} is not allowed; expected an object of options`)
  return { given: result.data as GivenScenario, options }
}

/** Options and scenarios are read by the same means, which speaks of options. */
function inWordsOfScenarios(problem: string): string {
  return problem
    .replace('is not an option', 'is not part of a scenario')
    .replace('the options here are', 'the fields here are')
    .replace('see the option table for its name', 'see the documented form')
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''
    const position = /position (\d+)/.exec(message)?.[1]
    const line = position === undefined ? text.trimEnd().split('\n').length : text.slice(0, Number(position)).split('\n').length
    throw inputFault(file, line, `this is not JSON: ${message.replace(/ in JSON at position.*$/, '')}`)
  }
}

function checkOrder({ load, signals = {}, request }: GivenScenario, fail: (path: string, sentencePart: string) => never): void {
  if (load.length === 0) fail('load', '[] is empty; expected at least one point such as { "atS": 0, "requestsPerSecond": 50 }')
  checkPoints('load', load, fail)
  for (const [name, points] of Object.entries(signals)) checkPoints(`signals.${name}`, points, fail)
  if (typeof request?.queueTimeMs === 'object') checkPoints('request.queueTimeMs', request.queueTimeMs, fail)
}

function checkPoints(path: string, points: readonly { readonly atS: number }[], fail: (path: string, sentencePart: string) => never): void {
  if (points.length === 0) fail(path, '[] is empty; expected at least one point')
  for (const [index, point] of points.entries()) {
    const before = points[index - 1]
    if (before && point.atS < before.atS) fail(`${path}[${index}].atS`, `${point.atS} goes back in time; the point before it is at ${before.atS}`)
  }
}

function checkRequests({ operator = [] }: GivenScenario, fail: (path: string, sentencePart: string) => never): void {
  for (const [index, { ask, connections }] of operator.entries()) {
    if (ask === 'budget' && connections === undefined) fail(`operator[${index}]`, 'asks for another budget; say which with "connections"')
  }
}

function scenarioOf(given: GivenScenario): Scenario {
  return {
    seed: given.seed ?? STANDARD.seed,
    load: given.load.map(({ atS, requestsPerSecond, step }) => ({ atMs: atS * 1000, requestsPerSecond, step: step ?? false })),
    request: requestModelOf(given.request),
    worker: workerOf(given.worker),
    host: { cpus: given.host?.cpus ?? STANDARD.cpus, memoryBytes: given.host?.memoryBytes ?? STANDARD.hostMemoryBytes },
    database: { concurrency: given.database?.concurrency ?? STANDARD.databaseConcurrency },
    ...(given.sessions ? { sessions: given.sessions } : {}),
    ...(given.sockets ? { sockets: socketsOf(given.sockets) } : {}),
    ...(given.signals ? { signals: Object.fromEntries(Object.entries(given.signals).map(([name, points]) => [name, points.map(toldPointOf)])) } : {}),
    ...(given.replicas ? { replicas: replicasOf(given.replicas) } : {}),
    faults: (given.faults ?? []).map(faultOf),
    requests: (given.operator ?? []).map(requestOf),
  }
}

function requestModelOf(given: GivenScenario['request']): Scenario['request'] {
  if (!given) return { cpuMs: STANDARD.cpuMs, waitMs: STANDARD.waitMs }
  const { cpuMs, waitMs = 0, queueTimeMs } = given
  if (queueTimeMs === undefined) return { cpuMs, waitMs }
  return { cpuMs, waitMs, queueTimesMs: typeof queueTimeMs === 'number' ? [{ atMs: 0, value: queueTimeMs }] : queueTimeMs.map(toldPointOf) }
}

const toldPointOf = ({ atS, value }: GivenValue): ToldPoint => ({ atMs: atS * 1000, value })

function replicasOf({
  min = 1,
  max = Math.max(min, 1),
  bootMs = STANDARD.replicaBootMs,
  follow = true,
  schedule = [],
}: NonNullable<GivenScenario['replicas']>): ReplicaModel {
  return { min, max, bootMs, follow, schedule }
}

function socketsOf(given: GivenSockets): SocketModel {
  return {
    perRequest: given.perRequest ?? 1,
    staysMs: (given.staysS ?? STANDARD.socketStaysS) * 1000,
    memoryBytes: given.memoryBytes ?? STANDARD.socketMemoryBytes,
    cpuMsPerSecond: given.cpuMsPerSecond ?? 0,
  }
}

export function workerOf(given: GivenWorker | undefined): Scenario['worker'] {
  return {
    bootMs: given?.bootMs ?? STANDARD.bootMs,
    memoryBytes: given?.memoryBytes ?? STANDARD.memoryBytes,
    memoryPerRequestBytes: given?.memoryPerRequestBytes ?? STANDARD.memoryPerRequestBytes,
    leakPerRequestBytes: given?.leakPerRequestBytes ?? 0,
    gcEveryBytes: given?.gcEveryBytes ?? STANDARD.gcEveryBytes,
    gcPauseMs: given?.gcPauseMs ?? STANDARD.gcPauseMs,
  }
}

function faultOf({ atS, kind, worker, forS }: GivenFault): Fault {
  return { atMs: atS * 1000, kind, worker: worker ?? 'any', forMs: (forS ?? STANDARD_FAULT_S) * 1000 }
}

function requestOf({ atS, ask, workers, connections }: GivenRequest, index: number): OperatorRequest {
  const requestId = index + 1
  const atMs = atS * 1000
  if (ask === 'reload') return { atMs, event: { kind: 'reloadRequested', requestId } }
  if (ask === 'budget') return { atMs, event: { kind: 'budgetRequested', requestId, budget: connections as number } }
  return { atMs, event: { kind: 'scaleRequested', requestId, workers: workers ?? 'auto' } }
}
