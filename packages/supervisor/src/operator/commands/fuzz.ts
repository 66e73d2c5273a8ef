import { resolveOptions } from '../../config/resolve.ts'
import { StationmasterError } from '../../errors.ts'
import type { Found, Searched } from '../../simulator/fuzz.ts'
import type { ExitCode } from '../exit-code.ts'
import { fuzzOnAllCores } from '../fuzz-threads.ts'
import { gatherOptions } from '../load-settings.ts'
import { showAgain, withConfigs } from '../show-again.ts'
import { harmless } from '../terminal.ts'
import type { CommandContext } from './context.ts'

export interface FuzzFlags {
  readonly config?: string
  /** The first seed. */
  readonly seed?: string
  readonly json?: boolean
}

const MOST_SEEDS = 10_000_000
const LARGEST_SEED = 2 ** 32 - 1

/** Looks for lives in which the supervisor breaks a rule. 1 where there is one. */
export async function fuzz(
  context: CommandContext,
  count: string,
  flags: FuzzFlags,
  search: typeof fuzzOnAllCores = fuzzOnAllCores,
): Promise<ExitCode> {
  const seeds = wholeNumber('--fuzz', count, 1, MOST_SEEDS)
  const first = wholeNumber('--seed', flags.seed ?? '1', 0, LARGEST_SEED - seeds)
  const capacity = { cpus: 8, memoryBytes: 8e9, source: 'host' } as const
  const { folder } = context
  const { options, context: surroundings } = await gatherOptions({
    folder,
    environment: {},
    configFile: flags.config,
    flags: {},
    capacity,
    isTerminal: false,
  })
  const { fleet } = resolveOptions({ entry: './app-of-the-simulation.js', ...(options as object) }, surroundings)
  const searched = await search({ base: fleet, first, count: seeds })
  context.terminal.print(flags.json ? JSON.stringify(searched) : render(searched, flags.config).join('\n'))
  return searched.found ? 1 : 0
}

function render({ seeds, steps, found }: Searched, configFile: string | undefined): string[] {
  const searched = `${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, ${steps} steps`
  return found ? renderFound(found, configFile) : [`${searched}: no rule was broken, every fleet healed, every stop ended it.`]
}

function renderFound({ seed, verdict, smallest }: Found, configFile: string | undefined): string[] {
  return [
    ...verdict.broken.map((sentence) => `Seed ${seed}, step ${verdict.steps}: ${sentence}`),
    '',
    'The smallest life found that still breaks it:',
    ...smallest.load.map(({ atMs, requestsPerSecond }) => `  at ${atMs} ms  ${requestsPerSecond} requests/s`),
    ...smallest.faults.map(({ atMs, kind, forMs }) => `  at ${atMs} ms  ${kind} for ${forMs} ms`),
    ...smallest.requests.map(({ atMs, event }) => `  at ${atMs} ms  ${JSON.stringify(event)}`),
    '',
    'Its last steps:',
    ...verdict.transcript.map((line) => `  ${harmless(line)}`),
    '',
    showAgain('--fuzz', '1', '--seed', String(seed), ...withConfigs(configFile === undefined ? [] : [configFile])),
  ]
}

function wholeNumber(flag: string, given: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN
  if (value >= least && value <= most) return value
  throw new StationmasterError('SM_SCENARIO_INVALID', 'option', `${flag} ${given} is not allowed; expected a whole number from ${least} to ${most}.`)
}
