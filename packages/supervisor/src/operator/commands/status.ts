import type { ExitCode } from '../exit-code.ts'
import { renderStatus } from '../render-status.ts'
import type { CommandContext } from './context.ts'
import { type ControlFlag, connect } from './control-path.ts'

export async function status(context: CommandContext, flags: ControlFlag & { readonly json?: boolean }): Promise<ExitCode> {
  const { terminal } = context
  const answer = await (await connect(context, flags)).status()
  if (flags.json) terminal.print(JSON.stringify(answer, null, 2))
  else terminal.print(renderStatus(answer, Date.now(), terminal.paint).join('\n'))
  return 0
}
