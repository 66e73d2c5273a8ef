import { Server } from 'node:net'
import { createRedisMock } from 'js-redis-server'
import { host } from './host.ts'
import type { RedisOptions } from './redis.ts'

const options: RedisOptions = JSON.parse(process.argv[2] ?? '{}')

await host(async () => {
  onLoopbackOnly()
  const server = await createRedisMock({ port: options.port ?? 0 })
  return {
    url: `redis://127.0.0.1:${server.port}`,
    pid: process.pid,
    died: new Promise<string>(() => {}),
    // Closing waits for clients, and a client may never leave; the data is in memory only, so ending the process loses nothing.
    stop: async () => {},
  }
})

/** js-redis-server 0.3.0 listens on every address and has no option against it; this process holds no other server. */
function onLoopbackOnly(): void {
  const listen = Server.prototype.listen as (port: number, address: string) => Server
  Server.prototype.listen = function (this: Server, port: number) {
    return listen.call(this, port, '127.0.0.1')
  } as typeof Server.prototype.listen
}
