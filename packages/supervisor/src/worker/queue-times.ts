import type { IncomingMessage } from 'node:http'
import { BUCKETS, bucketOf, toSparse } from '../policy/latency.ts'
import { queueTimeMs } from '../policy/queue-time.ts'
import type { Connection } from './connection.ts'
import { trustedNetworks } from './trusted-networks.ts'

/** How long requests waited before they reached this process, as the proxies that are trusted tell it. */
export class QueueTimes {
  readonly #isTrusted: (address: string) => boolean
  readonly #counts = new Uint32Array(BUCKETS)

  /** @param trusted networks such as `10.0.0.0/8` and `fc00::/7` */
  constructor(trusted: readonly string[]) {
    this.#isTrusted = trustedNetworks(trusted)
  }

  note({ headers }: IncomingMessage, connection: Connection): void {
    const header = headers['x-request-start']
    if (header === undefined) return
    // Clients come and go, but a connection keeps its other end.
    connection.isFromTrustedProxy ??= this.#isTrusted(connection.socket.remoteAddress ?? '')
    const waitedMs = connection.isFromTrustedProxy ? queueTimeMs(header, Date.now()) : null
    if (waitedMs === null) return
    const bucket = bucketOf(waitedMs)
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
  }

  /** Counts since the last call. */
  take(): number[] {
    const taken = toSparse(this.#counts)
    this.#counts.fill(0)
    return taken
  }
}
