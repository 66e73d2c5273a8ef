import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { resolveOptions } from '../../config/resolve.ts'
import type { Settings } from '../../config/settings.ts'
import { StationmasterError } from '../../errors.ts'
import type { Recording } from '../../fleet/replay.ts'
import { type Compared, comparePeers } from '../../simulator/compare.ts'
import { planFromJournal } from '../../simulator/plan-from-journal.ts'
import type { Plan } from '../../simulator/plan.ts'
import { readJournal } from '../../simulator/read-journal.ts'
import { readScenario } from '../../simulator/read-scenario.ts'
import { readTrace } from '../../simulator/read-trace.ts'
import { renderReport } from '../../simulator/report.ts'
import { replayRun } from '../../simulator/replay-run.ts'
import { simulate, toJson } from '../../simulator/simulate.ts'
import { mergeOptions } from '../../config/flags.ts'
import { explainRead } from '../config-faults.ts'
import type { ExitCode } from '../exit-code.ts'
import { gatherOptions } from '../load-settings.ts'
import { renderBroken } from '../render-broken.ts'
import { renderComparison, renderOutcome } from '../render-outcome.ts'
import { showAgain, withConfigs } from '../show-again.ts'
import type { CommandContext } from './context.ts'
import type { FuzzFlags } from './fuzz.ts'

export interface SimulateFlags extends Omit<FuzzFlags, 'config'> {
  /** The first is the policy that is tried; the others are shown beside it. */
  readonly config?: readonly string[]
  readonly fuzz?: string
  readonly compare?: boolean
  /** Where the page goes. */
  readonly report?: string
}

/** More text than this nobody has recorded. */
const MOST_BYTES = 256_000_000

/** Runs the scaling policy in virtual time. 1 where a rule was broken or an expectation of the scenario was not met. */
export async function runSimulation(
  context: CommandContext,
  file: string | undefined,
  flags: SimulateFlags,
  run: typeof simulate = simulate,
): Promise<ExitCode> {
  const [configFile, ...otherConfigs] = flags.config ?? []
  if (flags.fuzz !== undefined) return await runFuzz(context, flags.fuzz, flags)
  if (file === undefined)
    throw new StationmasterError(
      'SM_SCENARIO_INVALID',
      'option',
      'Name a scenario to simulate, such as monday.json, or search seeds with --fuzz 1000.',
    )
  const { terminal } = context
  const { paint } = terminal
  const given = await readInput(context.folder, file)
  const plan = withSeed(given.plan, flags.seed)
  if (flags.compare && plan.scenario.replicas)
    throw new StationmasterError(
      'SM_SCENARIO_INVALID',
      'option',
      '--compare is for one replica; take "replicas" out of the scenario, or leave --compare away.',
    )
  const settings = await settingsFor(given, context, file, configFile)
  const outcome = run(plan, settings.fleet, settings.cost, { policy: settings.policy })
  const beside = await Promise.all(otherConfigs.map(async (other) => ({ name: other, settings: await settingsFor(given, context, file, other) })))
  // Only the report draws what the others did moment by moment.
  const keepsMoments = flags.report !== undefined
  const peers = flags.compare ? comparePeers(plan, settings.fleet, settings.cost, keepsMoments) : []
  const others = [...beside.map((other) => simulatedBeside(plan, other, keepsMoments)), ...recordedIn(given, settings), ...peers]
  if (flags.report !== undefined) {
    const title = path.basename(file, path.extname(file))
    await write(context.folder, flags.report, renderReport({ title, plan, settings: settings.fleet, prices: settings.cost, outcome, others }))
  }
  if (flags.json) terminal.print(JSON.stringify({ ...toJson(outcome), ...(others.length > 0 ? { comparison: others.map(toJsonOfOther) } : {}) }))
  else {
    const { seed } = plan.scenario
    const again = showAgain(file, '--seed', String(seed), ...withConfigs(flags.config ?? []))
    const told = [renderOutcome(plan, outcome, settings, paint), renderBroken(outcome, seed, again, paint), renderComparison(outcome, others, paint)]
    terminal.print(told.flat().join('\n'))
  }
  const { violations, unmet } = outcome.summary
  return violations.length > 0 || unmet.length > 0 ? 1 : 0
}

async function runFuzz(context: CommandContext, count: string, { config = [], ...flags }: SimulateFlags): Promise<ExitCode> {
  const [configFile, another] = config
  if (another !== undefined)
    throw new StationmasterError('SM_SCENARIO_INVALID', 'option', `--config ${another} is one too many; --fuzz tries one policy.`)
  const { fuzz } = await import('./fuzz.ts')
  return await fuzz(context, count, { ...flags, ...(configFile === undefined ? {} : { config: configFile }) })
}

/** What a scenario expects it expects of the first policy alone. */
function simulatedBeside(plan: Plan, { name, settings }: { readonly name: string; readonly settings: Settings }, keepsMoments: boolean): Compared {
  const outcome = simulate({ ...plan, expect: {} }, settings.fleet, settings.cost, { policy: settings.policy, keepsMoments })
  return { name: path.basename(name), source: name, outcome }
}

async function write(folder: string, file: string, html: string): Promise<void> {
  await writeFile(path.resolve(folder, file), html).catch((error: NodeJS.ErrnoException) => {
    throw unusable(file, `cannot be written: ${error.message}`)
  })
}

const toJsonOfOther = ({ name, source, outcome }: Compared): object => ({ name, source, summary: outcome.summary })

/** What really happened, where there is a journal. */
function recordedIn({ plan, recording }: Input, settings: Settings): Compared[] {
  return recording ? [{ name: 'recorded', source: 'what the journal tells', outcome: replayRun(plan, recording, settings.cost) }] : []
}

interface Input {
  readonly plan: Plan
  /** Where the input is a journal. */
  readonly recording: Recording | null
}

const READERS: Readonly<Record<string, (text: string, file: string) => Input>> = {
  '.json': (text, file) => ({ plan: readScenario(text, file), recording: null }),
  '.csv': (text, file) => ({ plan: readTrace(text, file), recording: null }),
  '.jsonl': (text, file) => {
    const recording = readJournal(text, file)
    return { plan: planFromJournal(recording), recording }
  },
}

async function readInput(folder: string, file: string): Promise<Input> {
  const read = READERS[path.extname(file).toLowerCase()]
  if (!read) throw unusable(file, `is no scenario; expected a file that ends in ${Object.keys(READERS).join(', ')}`)
  return read(await readText(path.resolve(folder, file), file), file)
}

async function readText(absolute: string, shown: string): Promise<string> {
  try {
    const { size } = await stat(absolute)
    if (size > MOST_BYTES) throw unusable(shown, `has ${size} bytes; at most ${MOST_BYTES} are read`)
    return (await readFile(absolute, 'utf8')).replace(/^\uFEFF/, '')
  } catch (error) {
    throw error instanceof StationmasterError ? error : unusable(shown, explainRead(error).replace(/, or write one with.*$/, ''))
  }
}

function withSeed(plan: Plan, given: string | undefined): Plan {
  if (given === undefined) return plan
  const seed = /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN
  if (!(seed < 2 ** 32))
    throw new StationmasterError('SM_SCENARIO_INVALID', 'option', `--seed ${given} is not allowed; expected a whole number from 0 to ${2 ** 32 - 1}.`)
  return { ...plan, scenario: { ...plan.scenario, seed } }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The scenario's own options, then the config file's; the machine is the scenario's. A journal without a config file is tried with its own settings. */
async function settingsFor({ plan, recording }: Input, context: CommandContext, file: string, configFile: string | undefined): Promise<Settings> {
  const { cpus, memoryBytes } = plan.scenario.host
  const capacity = { cpus, memoryBytes, source: 'host' } as const
  const source = { folder: context.folder, environment: {}, configFile, flags: {}, capacity, isTerminal: false }
  const { options, context: surroundings } = await gatherOptions(source)
  const merged = mergeOptions({ entry: './app-of-the-simulation.js', ...plan.options }, isObject(options) ? options : {})
  const { fleet, ...rest } = resolveOptions(isObject(options) ? merged : options, { ...surroundings, file: surroundings.file ?? file })
  const ownSettings = recording !== null && surroundings.file === undefined
  return { ...rest, fleet: { ...(ownSettings ? recording.start.settings : fleet), prices: fleet.prices, tickMs: plan.tickMs } }
}

const unusable = (file: string, why: string): StationmasterError => new StationmasterError('SM_SCENARIO_INVALID', 'option', `${file} ${why}.`)
