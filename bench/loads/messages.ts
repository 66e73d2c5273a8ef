/** What a load generator is told on its command line, as JSON. */
export interface LoadOrder {
  readonly port: number
  /** Taken in turn, one per connection: the ports of one pair of addresses run out after 28,000 connections. */
  readonly hosts: readonly string[]
  readonly path: string
  /** Each has one request under way at any time. */
  readonly connections: number
  /** False: a new connection for each request. */
  readonly keepAlive: boolean
  /** Not counted. */
  readonly warmUpMs: number
  /** Counted; the upper bound where the load is ended by a message. */
  readonly durationMs: number
  /** A load that is told to stop goes on until it has sent so many, within `durationMs`. */
  readonly minRequests: number
  /** Where answers say `pid <n>`: the first one of a process that is not listed is told at once. Empty: answers are not looked at. */
  readonly knownPids: readonly number[]
}

export interface LoadReport {
  readonly kind: 'report'
  /** Answered in full with status 200. */
  readonly requests: number
  readonly elapsedMs: number
  /** How many requests ended otherwise, by how. */
  readonly failures: Readonly<Record<string, number>>
  /** What this process itself used. */
  readonly cpuMs: number
}

export type LoadMessage =
  | LoadReport
  | { readonly kind: 'begun' }
  /** Since counting began. */
  | { readonly kind: 'newcomer'; readonly afterMs: number }
