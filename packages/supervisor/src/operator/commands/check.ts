import { isGiven } from '../../config/given.ts'
import { inspectOptions, lineOf } from '../../config/resolve.ts'
import type { Settings } from '../../config/settings.ts'
import { withoutEffect } from '../../config/without-effect.ts'
import { StationmasterError } from '../../errors.ts'
import type { Capacity } from '../../policy/sample.ts'
import { checkCapacity } from '../checks/capacity.ts'
import { type Finding, error, warning } from '../checks/finding.ts'
import { checkDatabase } from '../checks/database.ts'
import { checkPlatform } from '../checks/platform.ts'
import { checkPort } from '../checks/port.ts'
import { checkReach } from '../checks/reach.ts'
import { checkScaling } from '../checks/scaling.ts'
import { connectControl } from '../control-client.ts'
import { entryFault } from '../entry-file.ts'
import type { ExitCode } from '../exit-code.ts'
import { gatherOptions } from '../load-settings.ts'
import { harmless } from '../terminal.ts'
import { bytes, count } from '../units.ts'
import type { CommandContext } from './context.ts'
import type { ControlFlag } from './control-path.ts'

export interface CheckFlags extends ControlFlag {
  readonly config?: string
  readonly json?: boolean
}

/** Looks for everything that would go wrong, all at once, and starts nothing. */
export async function check(context: CommandContext, entry: string | undefined, flags: CheckFlags): Promise<ExitCode> {
  const capacity = await context.outside.readCapacity()
  const { settings, options, findings: ofConfig } = await checkConfig(context, entry, flags, capacity)
  const findings = settings ? [...ofConfig, ...(await checkSurroundings(context, settings, options))] : ofConfig
  const messages = (level: Finding['level']) => findings.filter((finding) => finding.level === level).map(({ message }) => harmless(message))
  const [errors, warnings] = [messages('error'), messages('warning')]
  const ok = errors.length === 0
  const { terminal } = context
  if (flags.json) terminal.print(JSON.stringify({ ok, errors, warnings, capacity, node: process.versions.node }, null, 2))
  else printFindings(context, errors, warnings, capacity)
  return ok ? 0 : 2
}

interface Checked {
  readonly settings: Settings | null
  /** As they were given: file and flags, without defaults. */
  readonly options: unknown
  readonly findings: readonly Finding[]
}

async function checkConfig(context: CommandContext, entry: string | undefined, flags: CheckFlags, capacity: Capacity): Promise<Checked> {
  const { folder, environment, terminal } = context
  const source = {
    folder,
    environment,
    capacity,
    configFile: flags.config,
    isTerminal: terminal.isTerminal,
    flags: { entry, control: flags.control },
  }
  try {
    const { options, context: resolving } = await gatherOptions(source)
    const { settings, faults } = inspectOptions(options, resolving)
    return { settings, options, findings: faults.map((fault) => error(lineOf(fault, resolving))) }
  } catch (failure) {
    if (!(failure instanceof StationmasterError)) throw failure
    return { settings: null, options: null, findings: [error(failure.message)] }
  }
}

async function checkSurroundings({ environment, outside }: CommandContext, settings: Settings, options: unknown): Promise<Finding[]> {
  const { app, fleet, redis, database, control } = settings
  const runningPid = await connectControl(control.socket)
    .status()
    .then(({ pid }) => pid)
    .catch(() => null)
  const missing = await entryFault(app.entry)
  const found = [
    ...(missing ? [error(missing)] : []),
    ...checkCapacity(fleet.capacity, fleet.workers, isGiven(options, 'workers.max')),
    ...checkScaling(fleet.scaling, options),
    ...withoutEffect(settings).map(warning),
    ...checkPlatform(environment, fleet.drain.timeoutMs, process.versions.node),
    ...(runningPid === null ? [] : [warning(`A supervisor runs here already (pid ${runningPid}); a second one needs its own --control.`)]),
  ]
  const reached = await Promise.all([
    checkReach('redis.url', redis?.url ?? null, 6379),
    checkReach('database.url', database.url, 5432),
    checkDatabase(settings),
    // Of a supervisor that runs here already, the port is its own.
    checkPort(runningPid === null ? (app.env['PORT'] ?? environment['PORT']) : undefined, outside.findPortHolder),
  ])
  return [...found, ...reached.flat()]
}

function printFindings({ terminal }: CommandContext, errors: readonly string[], warnings: readonly string[], capacity: Capacity): void {
  for (const message of errors) terminal.print(`${terminal.paint('red', 'error')}    ${message}`)
  for (const message of warnings) terminal.print(`${terminal.paint('yellow', 'warning')}  ${message}`)
  const found = `${plural(errors.length, 'error')}, ${plural(warnings.length, 'warning')}`
  terminal.print(`${found}; ${count(capacity.cpus)} CPUs, ${bytes(capacity.memoryBytes)} (${capacity.source}), Node ${process.versions.node}`)
}

const plural = (amount: number, word: string): string => `${amount} ${word}${amount === 1 ? '' : 's'}`
