/** A server that a launcher started, or one that was already there. */
export type Service = {
  readonly url: string
  /** The server's own process, for tests that pause or kill it. `null` when the server is not ours. */
  readonly pid: number | null
  /** Resolves with a sentence when the server has gone, wanted or not. Never resolves for a server that is not ours. */
  readonly gone: Promise<string>
  /** Ends the server and removes its files. Safe to call twice, and after the server died by itself. */
  stop(): Promise<void>
}

/** What a host process prints, as one JSON line, once its server accepts connections or cannot be started. */
export type HostReport = { readonly url: string; readonly pid: number } | { readonly error: string }

export const external = (url: string): Service => ({
  url,
  pid: null,
  gone: new Promise(() => {}),
  stop: async () => {},
})
