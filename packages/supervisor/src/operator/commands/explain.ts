import path from 'node:path'
import { StationmasterError } from '../../errors.ts'
import type { ExitCode } from '../exit-code.ts'
import { renderDecision } from '../render-decision.ts'
import { harmless } from '../terminal.ts'
import type { CommandContext } from './context.ts'
import { type ControlFlag, connect } from './control-path.ts'
import { saveRecording } from './save-recording.ts'

const MOST_DECISIONS = 1000

export interface ExplainFlags extends ControlFlag {
  readonly last: string
  readonly json?: boolean
  readonly recording?: string
}

/** Why the fleet has its size now, and the decisions that led there. */
export async function explain(context: CommandContext, flags: ExplainFlags): Promise<ExitCode> {
  const { terminal } = context
  const last = /^\d{1,4}$/.test(flags.last) ? Number(flags.last) : 0
  if (last < 1 || last > MOST_DECISIONS)
    throw new StationmasterError(
      'SM_REQUEST_INVALID',
      'option',
      `--last ${flags.last} is not allowed; expected a whole number from 1 to ${MOST_DECISIONS}.`,
    )
  const control = await connect(context, flags)
  if (flags.recording !== undefined) {
    const file = path.resolve(context.folder, flags.recording)
    const events = await saveRecording(control, file)
    terminal.print(`${file} has the fleet as it was and the ${events} events since, one a line.`)
    return 0
  }
  const [standing, decisions, { database }] = await Promise.all([control.explain(), control.decisions(last), control.status()])
  if (flags.json) {
    terminal.print(JSON.stringify({ standing, decisions, database }, null, 2))
    return 0
  }
  const nowMs = Date.now()
  const render = (decision: (typeof decisions)[number]) => renderDecision(decision, nowMs, terminal.paint).join('\n')
  terminal.print(terminal.paint('dim', 'now'))
  terminal.print(standing ? render(standing) : 'The load was not looked at yet; ask again in a second.')
  if (database) terminal.print([terminal.paint('dim', '\ndatabase connections'), ...database.why.map(harmless)].join('\n'))
  terminal.print(terminal.paint('dim', `\nthe last decisions (${decisions.length}), oldest first`))
  for (const decision of decisions) terminal.print(render(decision))
  return 0
}
