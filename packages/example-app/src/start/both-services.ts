import { startPostgres } from '../services/postgres.ts'
import { startRedis } from '../services/redis.ts'

export type BothServices = { readonly env: Readonly<Record<string, string>>; stop(): Promise<void> }

/** PostgreSQL and Redis, with the variables by which the app finds them: both or, after a failure, none. */
export async function startBothServices(): Promise<BothServices> {
  const outcomes = await Promise.allSettled([startPostgres(), startRedis()])
  const services = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  let stopping = false
  const stop = async (): Promise<void> => {
    stopping = true
    await Promise.all(services.map((service) => service.stop()))
  }
  const [postgres, redis] = services
  if (!postgres || !redis || services.length < outcomes.length) {
    await stop()
    throw outcomes.find((outcome) => outcome.status === 'rejected')?.reason
  }
  for (const service of services) void service.gone.then((sentence) => stopping || console.error(`${sentence}. The app goes on without it.`))
  return { env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url }, stop }
}
