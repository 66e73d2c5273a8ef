import { once } from 'node:events'
import { StationmasterError } from '../../errors.ts'
import type { ControlClient } from '../control-client.ts'
import type { ExitCode } from '../exit-code.ts'
import { renderStatus } from '../render-status.ts'
import type { CommandContext } from './context.ts'
import { type ControlFlag, connect } from './control-path.ts'

const REDRAW_MS = 1000
/** In raw mode Ctrl-C and Ctrl-D come as keys. */
const QUIT_KEYS = new Set(['q', 'Q', '\u0003', '\u0004'])

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const TO_END_OF_LINE = '\u001b[K'
const TO_END_OF_SCREEN = '\u001b[J'
const NO_WRAP = '\u001b[?7l'
const WRAP = '\u001b[?7h'

/** The status, redrawn each second until q, Ctrl-C or the end of the supervisor. The terminal is left as it was found. */
export async function top(context: CommandContext, flags: ControlFlag): Promise<ExitCode> {
  const { stdin, stdout, terminal } = context
  if (!terminal.isTerminal || !stdin.isTTY)
    throw new StationmasterError(
      'SM_REQUEST_INVALID',
      'option',
      '`top` needs a terminal; use `stationmaster status`, or `status --json` in a script.',
    )
  const control = await connect(context, flags)
  // Before the screen changes: where nobody listens, the sentence shall be seen.
  await control.status()
  const quit = new AbortController()
  const onKey = (key: Buffer) => void (QUIT_KEYS.has(key.toString()) && quit.abort())
  const onSignal = () => quit.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, onSignal)
  stdout.once('error', onSignal)
  stdin.setRawMode(true).resume().on('data', onKey)
  stdout.write(ENTER)
  try {
    await redraw(context, control, quit.signal)
  } finally {
    stdout.write(WRAP + LEAVE)
    stdin.off('data', onKey).setRawMode(false).pause()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, onSignal)
  }
  return 0
}

async function redraw({ stdout, terminal }: CommandContext, control: ControlClient, quit: AbortSignal): Promise<void> {
  while (!quit.aborted) {
    const lines = renderStatus(await control.status(), Date.now(), terminal.paint)
    lines.push('', terminal.paint('dim', 'q quits'))
    const visible = lines.slice(0, stdout.rows || lines.length).map((line) => line + TO_END_OF_LINE)
    stdout.write(NO_WRAP + HOME + visible.join('\r\n') + TO_END_OF_SCREEN)
    await pause(quit)
  }
}

async function pause(quit: AbortSignal): Promise<void> {
  if (quit.aborted) return
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(), REDRAW_MS)
  await once(AbortSignal.any([quit, timer.signal]), 'abort')
  clearTimeout(timeout)
}
