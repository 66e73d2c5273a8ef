export interface SignalTargets {
  stop(signal: NodeJS.Signals): void
  reload(): void
  /** One worker more or less, by hand. */
  scaleBy(difference: 1 | -1): void
}

/** The supervisor's signals, from now until the returned function is called. */
export function listenForSignals(targets: SignalTargets): () => void {
  const handlers: [NodeJS.Signals, () => void][] = [
    ['SIGTERM', () => targets.stop('SIGTERM')],
    ['SIGINT', () => targets.stop('SIGINT')],
    ['SIGHUP', () => targets.reload()],
    ['SIGTTIN', () => targets.scaleBy(1)],
    ['SIGTTOU', () => targets.scaleBy(-1)],
  ]
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler)
  }
}
