/**
 * Connections stay where they were accepted, so a new worker would idle beside a full one. The surplus of the fullest is asked to connect
 * again: keep-alive clients by `Connection: close` on a response, long-lived ones by a goodbye; nothing is cut.
 */
export interface ConnectionLoad {
  readonly workerId: number
  /** Connections of the kind that is to be moved. */
  readonly movable: number
}

export interface Move {
  readonly workerId: number
  readonly connections: number
}

/** A worker keeps this much more than its fair share: evening out the last few connections costs more than it gives. */
const SLACK_RATIO = 1.25
const SLACK_CONNECTIONS = 2

/** The greatest part of a worker's connections that is moved at one tick, so that reconnects never come as a storm. */
const LARGEST_PART_MOVED = 0.5

/** Long-lived clients have a session to bring along: a few a second and worker, or one in a hundred where there are thousands. */
const RECONNECTS_PER_SECOND = 5
const PART_RECONNECTED_PER_SECOND = 0.01

/** How many keep-alive connections each worker should let go of now. Workers within their slack are absent. */
export function chooseSheds(ready: readonly ConnectionLoad[]): Move[] {
  return surplusOf(ready).map(({ workerId, connections, movable }) => ({
    workerId,
    connections: Math.min(connections, Math.ceil(movable * LARGEST_PART_MOVED)),
  }))
}

/** How many long-lived clients each worker should ask to reconnect in this tick. Workers within their slack are absent. */
export function chooseReconnects(ready: readonly ConnectionLoad[], tickMs: number): Move[] {
  return surplusOf(ready).map(({ workerId, connections, movable }) => {
    const perSecond = Math.max(RECONNECTS_PER_SECOND, movable * PART_RECONNECTED_PER_SECOND)
    return { workerId, connections: Math.min(connections, Math.max(1, Math.floor((perSecond * tickMs) / 1000))) }
  })
}

/** What each worker has beyond its fair share, where that is worth a move. */
function surplusOf(ready: readonly ConnectionLoad[]): (Move & ConnectionLoad)[] {
  if (ready.length < 2) return []
  let sum = 0
  for (const { movable } of ready) sum += Math.max(0, movable)
  const fair = sum / ready.length
  const most = fair * SLACK_RATIO + SLACK_CONNECTIONS
  const surplus: (Move & ConnectionLoad)[] = []
  for (const { workerId, movable } of ready) if (movable > most) surplus.push({ workerId, movable, connections: Math.ceil(movable - fair) })
  return surplus
}
