import { watchTerminal } from './terminal.ts'

export interface SignalTargets {
  stop(reason: string): void
  reload(): void
  /** One worker more or less, by hand. */
  scaleBy(difference: 1 | -1): void
}

/** The supervisor's signals, from now until the returned function is called. */
export function listenForSignals(targets: SignalTargets): () => void {
  const terminalWasClosed = watchTerminal()
  const handlers: [NodeJS.Signals, () => void][] = [
    ['SIGTERM', () => targets.stop('SIGTERM')],
    ['SIGINT', () => targets.stop('SIGINT')],
    ['SIGHUP', () => (terminalWasClosed() ? targets.stop('SIGHUP: the terminal was closed') : targets.reload())],
    ['SIGUSR2', () => targets.reload()],
    ['SIGTTIN', () => targets.scaleBy(1)],
    ['SIGTTOU', () => targets.scaleBy(-1)],
  ]
  for (const [signal, handler] of handlers) process.on(signal, handler)
  keepInspectorClosed()
  return () => {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler)
  }
}

const doNothing = (): void => {}

/**
 * At SIGUSR1 Node opens its inspector, through which anybody on this machine can run code here, unless somebody listens for it. This listener
 * stays for the life of the process: without it the kernel's default would take the place of Node's, and end the process.
 */
function keepInspectorClosed(): void {
  if (!process.listeners('SIGUSR1').includes(doNothing)) process.on('SIGUSR1', doNothing)
}
