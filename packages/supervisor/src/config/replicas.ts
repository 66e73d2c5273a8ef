import type { Values } from './values.ts'

/** One and its successor in a deployment, where they can agree on who has what. */
const WITH_REDIS = 2

/** How many replicas there are at the same time, at most. */
export function replicasOf(values: Pick<Values, 'database.replicas' | 'redis.url'>): number {
  return values['database.replicas'] ?? (values['redis.url'] === null ? 1 : WITH_REDIS)
}
