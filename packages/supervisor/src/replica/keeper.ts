import type { Cluster } from '../policy/share.ts'
import { parseCluster } from '../wire/cluster.ts'
import type { RedisClient } from './redis-client.ts'

/** The document as it is, and the keeper's time. */
export interface Kept {
  /** Null where there is none that makes sense. */
  readonly cluster: Cluster | null
  /** What has to be there still for a change to be made. */
  readonly text: string
  readonly nowMs: number
}

/**
 * Changes the document if it still is what the caller has read, and answers with what is there then. Run twice, or late, it changes
 * nothing the second time: the text has another version then.
 */
const SWAP = `
if ARGV[2] ~= '' and (redis.call('GET', KEYS[1]) or '') == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) end
local time = redis.call('TIME')
return { redis.call('GET', KEYS[1]) or '', time[1], time[2] }`

/** One document in Redis, which changes only as a whole. */
export class Keeper {
  readonly #client: RedisClient
  readonly #key: string

  constructor(client: RedisClient, key: string) {
    this.#client = client
    this.#key = key
  }

  read(): Promise<Kept> {
    return this.#swap('', '')
  }

  /** @returns null if somebody else was first, and what is there then */
  async write(before: Kept, cluster: Cluster): Promise<{ readonly isDone: boolean; readonly kept: Kept }> {
    const text = JSON.stringify(cluster)
    const kept = await this.#swap(before.text, text)
    return { isDone: kept.text === text, kept }
  }

  async #swap(before: string, after: string): Promise<Kept> {
    const [text, seconds, microseconds] = (await this.#client.eval(SWAP, 1, this.#key, before, after)) as [string, string, string]
    return { text, cluster: parseCluster(text), nowMs: Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000) }
  }
}
