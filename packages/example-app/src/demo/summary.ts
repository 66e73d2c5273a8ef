import type { SessionStats, SocketStats, Stats } from '../load.ts'
import { duration, median } from './format.ts'
import type { Promotion } from './promotion.ts'
import { mostReady, type Recording } from './recorder.ts'

/** All that a run has shown. */
export type Outcome = {
  readonly recording: Recording
  readonly promotions: readonly Promotion[]
  /** Of the requests that looked for new workers. */
  readonly probes: Stats
  readonly people: SessionStats
  readonly chat: SocketStats
}

export type Row = readonly [what: string, value: string]

/** The run in a few numbers, the same for the terminal and for the report. */
export function summarize(outcome: Outcome): Row[] {
  const { recording, people, chat } = outcome
  return [
    ['requests', whole(requestsOf(outcome))],
    ['failed', whole(failuresOf(outcome))],
    ...recording.phases.map(({ name, stats }): Row => [`p95, ${name}`, duration(stats.latency.p95Ms)]),
    ['workers', sizesOf(recording).join(' → ')],
    ['decision to first request served, spare', timeTo(outcome, 'spare')],
    ['decision to first request served, cold start', timeTo(outcome, 'cold start')],
    ['sessions forgotten', `${people.lostSessions} of ${people.loggedIn}`],
    ['chat messages lost', `${chat.lostAcks} of ${whole(chat.sent)}, ${whole(chat.resent)} said again after a move`],
    ['chat connections moved to another worker', whole(chat.reconnects)],
  ]
}

/** What did not go as it should, a sentence each. */
export function shortcomings(outcome: Outcome): string[] {
  const { recording, promotions, people, chat } = outcome
  const sizes = sizesOf(recording)
  return [
    ...countsOf(outcome).flatMap(({ failures }) =>
      Object.entries(failures).map(([why, times]) => `${times} ${times === 1 ? 'request' : 'requests'} failed: ${why}.`),
    ),
    ...(people.lostSessions > 0 ? [`${people.lostSessions} answers did not know a session.`] : []),
    ...(chat.lostAcks > 0 ? [`${chat.lostAcks} chat messages were lost.`] : []),
    ...(mostReady(recording) < 2 ? ['The fleet did not grow.'] : []),
    ...(sizes.at(-1) !== sizes[0] ? [`The fleet ended with ${sizes.at(-1)} workers and had begun with ${sizes[0]}.`] : []),
    ...(promotions.length === 0 ? ['No new worker was seen to serve when it was asked for by hand.'] : []),
  ]
}

export const requestsOf = (outcome: Outcome): number => sum(countsOf(outcome).map((stats) => stats.sent))
export const failuresOf = (outcome: Outcome): number => sum(countsOf(outcome).map((stats) => stats.failed))

const countsOf = ({ recording, people, probes }: Outcome): Stats[] => [...recording.phases.map(({ stats }) => stats), people, probes]

/** Every size that the fleet had, in order. */
function sizesOf({ samples }: Recording): number[] {
  return samples.map((sample) => sample.ready).filter((ready, index, all) => ready !== all[index - 1])
}

export function timeTo({ promotions }: Outcome, kind: Promotion['kind']): string {
  const times = promotions.filter((promotion) => promotion.kind === kind).map((promotion) => promotion.ms)
  if (times.length < 2) return duration(times[0] ?? null)
  return `${duration(median(times))} (${Math.round(Math.min(...times))} to ${Math.round(Math.max(...times))})`
}

export function printSummary(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([what]) => what.length))
  return rows.map(([what, value]) => `  ${what.padEnd(width)}  ${value}`).join('\n')
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const whole = (value: number): string => value.toLocaleString('en')
