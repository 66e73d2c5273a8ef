import type { Logger } from '../primary/ports.ts'
import type { Level } from './describe-note.ts'
import { createMask } from './mask.ts'
import { createSink } from './sink.ts'

export interface LoggerOptions {
  readonly format: 'json' | 'pretty'
  readonly stream: NodeJS.WritableStream
  readonly colors: boolean
  /** Lines below it are not written. Default `'info'`. */
  readonly level?: Level
  /** Values that stand here under a secret name are hidden wherever they turn up. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/** A logger that ends with its process: what is still on its way can be waited for. */
export interface StreamLogger extends Logger {
  /** Resolves with true when all lines were taken by the stream, with false when it failed or `timeoutMs` passed before that. */
  flush(timeoutMs: number): Promise<boolean>
}

type Fields = Readonly<Record<string, unknown>>
type Format = (level: Level, message: string, fields: Fields) => string

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']
const COLORS: Readonly<Record<Level, number>> = { debug: 90, info: 32, warn: 33, error: 31 }

/** Readers of log lines cut or refuse longer ones. */
const LONGEST_LINE = 64 * 1024

/**
 * Writes log lines, as JSON for machines or as text for people. Secrets are masked. A stream that is full, closed or broken
 * never throws, never blocks and never grows memory: the oldest lines are dropped, counted, and the count is told later.
 *
 * @example
 * const logger = createLogger({ format: 'json', stream: process.stdout, colors: false })
 * logger.info('worker 3 is ready (140 ms)', { workerId: 3 })
 * await logger.flush(1000)
 */
export function createLogger(options: LoggerOptions): StreamLogger {
  const mask = createMask(options.environment ?? process.env)
  const format = options.format === 'json' ? formatJson : createPrettyFormat(options.colors)
  const lowest = LEVELS.indexOf(options.level ?? 'info')
  const sink = createSink(options.stream, (lost) => format('warn', lostMessage(lost), { lost }))

  const write = (level: Level, message: string, fields: Fields = {}): void => {
    if (LEVELS.indexOf(level) < lowest) return
    sink.write(format(level, mask.text(message), mask.value(fields) as Fields))
  }
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    flush: (timeoutMs) => sink.flush(timeoutMs),
  }
}

function formatJson(level: Level, message: string, fields: Fields): string {
  const head = { level, time: new Date().toISOString(), msg: message }
  const line = JSON.stringify({ ...head, ...fields, ...head })
  return line.length <= LONGEST_LINE ? line : JSON.stringify({ ...head, truncated: true })
}

/** `12:03:01 info  worker 3 is ready (140 ms)`; the sentence says it all, so the fields stay away. */
function createPrettyFormat(colors: boolean): Format {
  const paint = (code: number, text: string): string => (colors ? `\u001b[${code}m${text}\u001b[0m` : text)
  return (level, message) => {
    const time = new Date().toTimeString().slice(0, 8)
    return `${paint(90, time)} ${paint(COLORS[level], level.padEnd(5))} ${printable(message).replaceAll('\n', '\n  ')}`
  }
}

/** What an app wrote must not move the cursor of the person who reads it. */
const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (character) => (character === '\n' || character === '\t' ? character : JSON.stringify(character).slice(1, -1)))

const lostMessage = (lost: number): string => `${lost} log ${lost === 1 ? 'line was' : 'lines were'} lost, because the log output was full or closed`
