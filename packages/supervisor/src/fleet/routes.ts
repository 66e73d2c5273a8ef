import type { Peer } from '../policy/replicas.ts'
import type { PeerAddress, Route } from '../policy/route.ts'
import { isReady } from './census.ts'
import type { Draft } from './draft.ts'
import type { Fleet } from './fleet.ts'

const HIGHEST_PORT = 65_535

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
  if (newcomerId === null && sayTheSame(draft.fleet, before)) return
  const routes = routesOf(draft.fleet)
  const leaving = leavingOf(draft.fleet)
  const peers = draft.fleet.peerAddresses
  const isNew = !isSame(routes, routesOf(before)) || !isSame(leaving, leavingOf(before)) || !areSame(peers, before.peerAddresses)
  if (isNew) draft.commands.push({ kind: 'publish', workerId: null, routes, leaving, peers })
  else if (newcomerId !== null) draft.commands.push({ kind: 'publish', workerId: newcomerId, routes, leaving, peers })
}

/** True where nothing that routes are made of has changed, as at nearly every step. */
function sayTheSame(now: Fleet, before: Fleet): boolean {
  if (now.peerAddresses !== before.peerAddresses || now.workers.length !== before.workers.length) return false
  return now.workers.every((worker, place) => {
    const was = before.workers[place]
    if (worker === was) return true
    return worker.id === was?.id && worker.life === was.life && worker.leaving === was.leaving && worker.stuckAtMs === was.stuckAtMs
  })
}

function isSame(one: readonly Route[], other: readonly Route[]): boolean {
  return one.length === other.length && one.every((route, index) => route.workerId === other[index]?.workerId && route.slot === other[index]?.slot)
}

/** What was written by somebody else may be no address: then there is no way to that replica. */
export function addressOf({ id, address }: Peer): PeerAddress[] {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address ?? '') ?? []
  const host = bracketed ?? plain
  return host === undefined || Number(port) > HIGHEST_PORT ? [] : [{ tag: id, host, port: Number(port) }]
}

function areSame(some: readonly PeerAddress[], others: readonly PeerAddress[]): boolean {
  return (
    some.length === others.length &&
    some.every((one, index) => one.tag === others[index]?.tag && one.host === others[index]?.host && one.port === others[index]?.port)
  )
}
