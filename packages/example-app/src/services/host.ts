import type { HostReport } from './service.ts'

/** What a host starts: where it listens, and how to end it. `died` resolves when it ends without being asked. */
export type Hosted = {
  readonly url: string
  readonly pid: number
  readonly died: Promise<string>
  stop(): Promise<void>
}

/**
 * The life of a host process: start the server, print one line, end the server when stdin closes. Signals from a terminal are ignored
 * on purpose: whoever holds the other end of stdin decides when the server is no longer needed.
 */
export async function host(start: () => Promise<Hosted>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  // The reader of these may be gone before we are; EPIPE must not cut the clean-up short.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const released = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.stdin.once('end', () => resolve())
    process.stdin.once('error', () => resolve())
    process.stdin.resume()
  })
  let server: Hosted
  try {
    server = await start()
  } catch (error) {
    report({ error: error instanceof Error ? error.message : String(error) })
    process.exitCode = 1
    process.stdin.destroy()
    return
  }
  report({ url: server.url, pid: server.pid })
  const death = await Promise.race([released, server.died])
  await server.stop()
  if (death !== undefined) process.stderr.write(`${death}\n`)
  process.exit(death === undefined ? 0 : 1)
}

function report(line: HostReport): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
