import { describeMs } from '../policy/describe.ts'
import type { Turn } from './turn.ts'

/** The last steps as people read them: what happened, and what the fleet had done about it. */
export function transcriptOf(turns: readonly Turn[]): string[] {
  return turns.flatMap(({ event, commands, notes }) => {
    const { kind, nowMs, ...rest } = event
    const what =
      kind === 'sampled' ? `${event.kind} ${event.kind === 'sampled' ? event.samples.length : 0} workers` : `${kind} ${JSON.stringify(rest)}`
    return [
      `${describeMs(nowMs)}  ${what}`,
      ...commands.map((command) => `    command ${JSON.stringify(command)}`),
      ...notes.map((note) => `    note ${JSON.stringify(note)}`),
    ]
  })
}
