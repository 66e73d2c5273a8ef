import type { Route } from '../policy/route.ts'
import { isReady } from './census.ts'
import type { Draft } from './draft.ts'
import type { Fleet } from './fleet.ts'

/** Who takes new clients: the ready workers, each with its slot. */
function routesOf(fleet: Fleet): Route[] {
  return fleet.workers.filter((worker) => isReady(worker) && worker.leaving === null).map(({ id, slot }) => ({ workerId: id, slot }))
}

/** Who keeps the clients it has, and takes no new ones. */
function leavingOf(fleet: Fleet): Route[] {
  return fleet.workers.filter(({ life }) => life.kind === 'draining').map(({ id, slot }) => ({ workerId: id, slot }))
}

/** Every worker hears of it when the routes change; one that has just begun hears them first of all. */
export function publishRoutes(draft: Draft, before: Fleet, newcomerId: number | null): void {
  const routes = routesOf(draft.fleet)
  const leaving = leavingOf(draft.fleet)
  const isNew = !isSame(routes, routesOf(before)) || !isSame(leaving, leavingOf(before))
  if (isNew) draft.commands.push({ kind: 'publish', workerId: null, routes, leaving })
  else if (newcomerId !== null) draft.commands.push({ kind: 'publish', workerId: newcomerId, routes, leaving })
}

function isSame(one: readonly Route[], other: readonly Route[]): boolean {
  return one.length === other.length && one.every((route, index) => route.workerId === other[index]?.workerId && route.slot === other[index]?.slot)
}
