export { type PostgresOptions, startPostgres } from './services/postgres.ts'
export { type RedisOptions, startRedis } from './services/redis.ts'
export type { Service } from './services/service.ts'
