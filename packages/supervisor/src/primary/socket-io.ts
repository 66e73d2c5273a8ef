import { createRequire } from 'node:module'

let serving = false

/** Relays the messages of Socket.IO's cluster adapter between workers, from the first time an app asks for it. */
export function serveSocketIO(entry: string, complain: (sentence: string) => void): void {
  if (serving) return
  serving = true
  try {
    const adapter = loadForApp('@socket.io/cluster-adapter', [entry, import.meta.url]) as { setupPrimary(): void }
    adapter.setupPrimary()
  } catch (error) {
    complain(`Socket.IO broadcasts stay within one worker: the package @socket.io/cluster-adapter could not be loaded (${String(error)}).`)
  }
}

/** As the app would load it, or else as our own peer. */
export function loadForApp(name: string, origins: readonly string[]): unknown {
  let failure: unknown
  for (const origin of origins) {
    try {
      return createRequire(origin)(name)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
