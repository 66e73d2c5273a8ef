import { launch } from './launch.ts'
import { external, type Service } from './service.ts'

export type RedisOptions = { readonly port?: number }

/**
 * A Redis for development and tests, from the npm package js-redis-server, in a process of its own so that a busy caller cannot slow it.
 * The longer a stream grows, the slower it adds to it: good for a chat that one watches, not for hundreds of messages a second over minutes.
 * With REDIS_URL set that server is used, and nothing is started.
 */
export async function startRedis(options: RedisOptions = {}): Promise<Service> {
  const url = process.env['REDIS_URL']
  return url ? external(url) : launch('Redis', new URL('./redis-host.ts', import.meta.url), options)
}
