import { type Cluster, MARGIN_MS, type Member, TTL_MS } from './share.ts'

/** What this process itself has watched, by its own clock: that of Redis may jump, and then everybody seems to be gone. */
export interface Watchfulness {
  /** True once what is new to this process, or new for all, has had its time. */
  mayAsk(cluster: Cluster, nowMs: number): boolean
  /** Members that have said nothing for as long as any clock allows, with their last sequence. */
  silent(members: Cluster['members'], nowMs: number): Record<string, number>
}

interface Seen {
  readonly sequence: number
  readonly sinceMs: number
}

export function createWatchfulness(): Watchfulness {
  let epoch = { name: '', sinceMs: 0 }
  let seen = new Map<string, Seen>()
  const isOld = (sinceMs: number, nowMs: number): boolean => nowMs - sinceMs >= TTL_MS + MARGIN_MS
  const look = (id: string, { sequence }: Member, nowMs: number): [string, Seen] => {
    const before = seen.get(id)
    return [id, before?.sequence === sequence ? before : { sequence, sinceMs: nowMs }]
  }
  return {
    mayAsk(cluster, nowMs) {
      if (cluster.epoch !== epoch.name) epoch = { name: cluster.epoch, sinceMs: nowMs }
      seen = new Map(Object.entries(cluster.members).map(([id, member]) => look(id, member, nowMs)))
      return cluster.isSwept ? [...seen.values()].some(({ sinceMs }) => isOld(sinceMs, nowMs)) : isOld(epoch.sinceMs, nowMs)
    },
    silent(members, nowMs) {
      const old = Object.keys(members).filter((id) => isOld(seen.get(id)?.sinceMs ?? nowMs, nowMs))
      return Object.fromEntries(old.map((id) => [id, (members[id] as Member).sequence]))
    },
  }
}
