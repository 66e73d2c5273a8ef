import { activityOf } from './connection.ts'
import type { Connection } from './connection.ts'
import type { Traffic } from './traffic.ts'
import { dismiss } from './traffic.ts'

/** Lets so many keep-alive connections go after their next response, the busiest first: they carry the load that is to move. */
export function shed(traffic: Traffic, count: number): void {
  const movable = [...traffic.connections].filter(isMovable).toSorted((one, other) => other.requests - one.requests)
  for (const connection of movable.slice(0, count)) dismiss(connection)
}

function isMovable(connection: Connection): boolean {
  if (connection.leaving || connection.requests === 0) return false
  const activity = activityOf(connection)
  return activity === 'quiet' || activity === 'answering'
}
