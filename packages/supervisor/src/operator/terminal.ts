import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Where commands write, and how. */
export interface Terminal {
  /** Whether people look at what is printed, rather than another program. */
  readonly isTerminal: boolean
  paint(style: Style, text: string): string
  print(text: string): void
  complain(text: string): void
}

/** Colour only on a terminal, and not where NO_COLOR is set (no-color.org: to anything but nothing). */
export function hasColours(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb'
}

export function createTerminal(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Terminal {
  const isTerminal = stdout.isTTY === true
  const colours = hasColours(stdout, environment)
  // Who reads us may leave first (`status | head -1`); what is left to say is then nobody's.
  for (const stream of [stdout, stderr]) stream.on('error', () => {})
  return {
    isTerminal,
    paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
    print: (text) => void stdout.write(`${text}\n`),
    complain: (text) => void stderr.write(`${text}\n`),
  }
}

/** Text that came from elsewhere (an app's last words, a name), without the codes that would steer the reader's terminal. */
export function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}
