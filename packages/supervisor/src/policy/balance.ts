/**
 * Keep-alive connections stay where they were accepted, so a new worker would idle beside a full one. The surplus of the
 * fullest is asked, by `Connection: close` on a response, to connect again; nothing is cut.
 */
export interface ConnectionLoad {
  readonly workerId: number
  /** Connections that can be moved: all but upgraded ones. */
  readonly movable: number
}

/** A worker keeps this much more than its fair share: evening out the last few connections costs more than it gives. */
const SLACK_RATIO = 1.25
const SLACK_CONNECTIONS = 2

/** The greatest part of a worker's connections that is moved at one tick, so that reconnects never come as a storm. */
const LARGEST_PART_MOVED = 0.5

/** How many connections each worker should let go of now. Workers within their slack are absent. */
export function chooseSheds(ready: readonly ConnectionLoad[]): { readonly workerId: number; readonly connections: number }[] {
  if (ready.length < 2) return []
  const fair = ready.reduce((sum, load) => sum + Math.max(0, load.movable), 0) / ready.length
  const sheds = []
  for (const { workerId, movable } of ready) {
    if (movable <= fair * SLACK_RATIO + SLACK_CONNECTIONS) continue
    const connections = Math.min(Math.ceil(movable - fair), Math.ceil(movable * LARGEST_PART_MOVED))
    sheds.push({ workerId, connections })
  }
  return sheds
}
