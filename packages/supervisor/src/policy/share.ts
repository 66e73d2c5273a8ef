/**
 * How replicas share one budget of database connections. All of them keep one document, `Cluster`, in a place that changes it only as a
 * whole and only if nobody else has changed it meanwhile (Redis). `beat` is what a replica makes of it: pure, so the simulator and the
 * tests run this very code.
 *
 * Each replica may always have its floor, Redis or not; room for all floors is kept. What is left is lent, for a time: `granted`
 * connections beyond the floor. A member's time may run out, its connections stay counted until the database shows that they are gone.
 * So a newcomer in place of a dead one may have to wait for its floor: it begins with `granted` at minus its floor.
 */
export interface Cluster {
  /** Made up anew whenever what was known may be lost. */
  readonly epoch: string
  /** Grows with every change: an older one is a copy from before a failure. */
  readonly version: number
  /** The process that keeps it; null where it does not tell. */
  readonly keeper: string | null
  /** Nobody grows before: until then somebody may live by what was lost. By the keeper's clock, as all times here. */
  readonly calmUntilMs: number
  /** The database was asked since, so whoever still has connections is a member. */
  readonly isSwept: boolean
  readonly members: Readonly<Record<string, Member>>
}

export interface Member {
  /** Of its newest beat. */
  readonly sequence: number
  readonly expiresAtMs: number
  readonly part: Part | null
  /** What it tells the others; means nothing here. */
  readonly says: unknown
}

/** What a member has to do with the budget. Connections, as everywhere here. */
export interface Part {
  /** What all replicas together may have, by its own configuration. */
  readonly available: number
  readonly floor: number
  /** How many replicas there are at most, by its own configuration: room for their floors is kept. */
  readonly replicas: number
  /** Beyond its floor: what it needs, what it may use, and the most that it may have open (less than 0: not even its floor). */
  readonly wants: number
  readonly granted: number
  readonly held: number
}

export interface Beat {
  readonly member: string
  readonly sequence: number
  readonly keeper: string | null
  readonly nowMs: number
  /** The newest version that it has seen. */
  readonly seenVersion: number
  /** For the case that there is none. */
  readonly newEpoch: string
  /** `granted`: what it still may use by its own clock. */
  readonly part: Part | null
  readonly says: unknown
  readonly sweep: Sweep | null
  /** It goes for good. */
  readonly leaves: boolean
}

/** What the database showed, of all replicas' connections. */
export interface Sweep {
  readonly epoch: string
  /** When it was begun, by the keeper's clock. */
  readonly atMs: number
  readonly sequences: Readonly<Record<string, number>>
  readonly connections: Readonly<Record<string, number>>
  /** Connections that have not told whose they are. */
  readonly unnamed: number
}

/** A member is given up if it does not come back within this. */
export const TTL_MS = 6000
/** Clocks that do not run alike, and a connection that the database does not show yet. */
export const MARGIN_MS = 1500
/** How often each has its turn, and how long it waits in it for answers: a call that is answered later counts as not made. */
export const BEAT_MS = 1000
export const ANSWER_MS = 1000
/** Somebody else's beat came in between. */
export const ATTEMPTS = 8
/** Clocks of two machines differ by less than this share. */
export const DRIFT = 0.01
/** What was lent is given back so much earlier, so that workers have heard of it in time. */
export const EARLY_MS = 2000

/** What becomes of the document when a member has its turn. Doing it twice, or late, does no harm. */
export function beat(known: Cluster | null, input: Beat): Cluster {
  const cluster = isTrusted(known, input) ? known : anew(known, input)
  if ((cluster.members[input.member]?.sequence ?? -1) >= input.sequence) return cluster
  const swept = input.sweep === null ? cluster : sweep(cluster, input.sweep, input.part?.floor ?? 0)
  const next = { ...swept, version: cluster.version + 1, members: { ...swept.members, [input.member]: registered(swept, input) } }
  if (input.leaves && isEmpty(input.part)) return without(next, input.member)
  return share(next, input)
}

/** True if the database has to be asked at once: a newcomer does not know who else is there. */
export function needsCensus({ isSwept, members }: Cluster, member: string): boolean {
  return !isSwept && (members[member]?.part?.granted ?? 0) < 0
}

/** True if the database has to be asked: somebody's time ran out, or something was forgotten. */
export function needsSweep({ calmUntilMs, isSwept, members }: Cluster, nowMs: number): boolean {
  return nowMs >= calmUntilMs && (!isSwept || Object.values(members).some((member) => isLost(member, nowMs)))
}

export const isAlive = ({ expiresAtMs }: Member, nowMs: number): boolean => nowMs < expiresAtMs

/** It opens nothing more, whatever clock it goes by. */
const isLost = ({ expiresAtMs }: Member, nowMs: number): boolean => nowMs >= expiresAtMs + MARGIN_MS

const isEmpty = (part: Part | null): boolean => part === null || part.held <= -part.floor

function isTrusted(known: Cluster | null, { keeper, seenVersion }: Beat): known is Cluster {
  return known !== null && known.keeper === keeper && known.version >= seenVersion
}

/** Nothing is known any more: everybody registers again, and nobody grows before whoever does not has stopped to rely on what was. */
function anew(known: Cluster | null, { keeper, seenVersion, newEpoch, nowMs }: Beat): Cluster {
  const version = Math.max(seenVersion, known?.version ?? 0) + 1
  return { epoch: newEpoch, version, keeper, calmUntilMs: nowMs + TTL_MS + MARGIN_MS, isSwept: false, members: {} }
}

function registered({ members }: Cluster, { member, sequence, nowMs, part, says, leaves }: Beat): Member {
  const before = members[member]?.part
  // What it was lent and never heard of goes back; what was taken from it and it has not heard of stays taken.
  const granted = leaves ? 0 : Math.min(part?.granted ?? 0, before?.granted ?? Number.POSITIVE_INFINITY)
  return { sequence, says, expiresAtMs: leaves ? nowMs : nowMs + TTL_MS, part: part && { ...part, granted, held: Math.max(part.held, part.granted) } }
}

function sweep(cluster: Cluster, seen: Sweep, floor: number): Cluster {
  if (seen.epoch !== cluster.epoch || seen.atMs < cluster.calmUntilMs) return cluster
  const members: Record<string, Member> = {}
  for (const [id, member] of Object.entries(cluster.members)) {
    const isProven = isLost(member, seen.atMs) && seen.sequences[id] === member.sequence
    const left = isProven ? remains(member, (seen.connections[id] ?? 0) + seen.unnamed) : member
    if (left) members[id] = left
  }
  if (cluster.isSwept) return { ...cluster, members }
  for (const [id, connections] of Object.entries(seen.connections)) members[id] ??= stranger(connections, floor, seen.atMs)
  return { ...cluster, isSwept: true, members }
}

/** What the database still shows of a member that opens nothing more. */
function remains(member: Member, connections: number): Member | null {
  if (connections === 0 || !member.part) return null
  const held = Math.min(member.part.held, Math.max(0, connections - member.part.floor))
  return { ...member, part: { ...member.part, granted: 0, wants: 0, held } }
}

/** Connections of a replica that everybody has forgotten. */
function stranger(connections: number, floor: number, atMs: number): Member {
  const held = Math.max(0, connections - floor)
  return { sequence: -1, expiresAtMs: atMs, says: null, part: { available: Number.MAX_SAFE_INTEGER, floor, replicas: 1, wants: 0, granted: 0, held } }
}

function without(cluster: Cluster, id: string): Cluster {
  return { ...cluster, members: Object.fromEntries(Object.entries(cluster.members).filter(([each]) => each !== id)) }
}

/** Takes from everybody who has more than its part, and gives to the one whose turn it is what nobody has. */
function share(cluster: Cluster, { member, nowMs, sweep: seen }: Beat): Cluster {
  const parts = Object.entries(cluster.members).flatMap(([id, { part, expiresAtMs }]): Sharer[] =>
    part ? [{ id, ...part, isAlive: nowMs < expiresAtMs }] : [],
  )
  const mine = parts.find(({ id }) => id === member)
  const members = { ...cluster.members }
  const give = (id: string, granted: number): void => {
    const before = members[id] as Member & { part: Part }
    members[id] = { ...before, part: { ...before.part, granted, held: Math.max(before.part.held, granted) } }
  }
  if (!cluster.isSwept) {
    if (mine && mine.granted < 0 && seen?.epoch === cluster.epoch && countOf(parts, seen) <= mine.replicas) give(member, 0)
    return { ...cluster, members }
  }
  const pool = poolOf(parts)
  const targets = targetsOf(parts, pool)
  for (const { id, granted } of parts) if ((targets.get(id) as number) < granted) give(id, targets.get(id) as number)
  if (mine && (targets.get(member) as number) > mine.granted) {
    // Its own word of what it holds makes no room: of one that was given up meanwhile, others may have that by now.
    const room = pool - parts.reduce((sum, { id, held }) => sum + (id === member ? 0 : beyondFloor(held)), 0)
    give(member, Math.max(mine.granted, Math.min(targets.get(member) as number, room)))
  }
  return { ...cluster, members }
}

type Sharer = Part & { readonly id: string; readonly isAlive: boolean }

/** Replicas that are there, those included that were forgotten and have connections. */
function countOf(parts: readonly Sharer[], seen: Sweep): number {
  return new Set([...parts.map(({ id }) => id), ...Object.keys(seen.connections)]).size
}

/** What can be lent: all but the floors of those that are there, and of those that may come without asking. */
function poolOf(parts: readonly Sharer[]): number {
  if (parts.length === 0) return 0
  const floors = parts.reduce((sum, { floor }) => sum + floor, 0)
  const expected = Math.max(...parts.map(({ replicas }) => replicas)) - parts.length
  return Math.min(...parts.map(({ available }) => available)) - floors - Math.max(0, expected) * Math.max(...parts.map(({ floor }) => floor))
}

/** A newcomer that has not heard of its floor may have taken it by right since: that room is nobody else's. */
const beyondFloor = (held: number): number => Math.max(0, held)

/** Max-min fair by what everybody wants; what nobody wants now is spread, so that a rush finds it there. */
function targetsOf(parts: readonly Sharer[], pool: number): ReadonlyMap<string, number> {
  const alive = parts.filter((part) => part.isAlive).sort((a, b) => (a.id < b.id ? -1 : 1))
  const lost = parts.filter((part) => !part.isAlive)
  const left = Math.max(0, pool - lost.reduce((sum, { held }) => sum + beyondFloor(held), 0))
  const asked = level(
    alive.map(({ wants }) => wants),
    left,
  )
  const over = left - asked.reduce((sum, given) => sum + given, 0)
  const targets = alive.map(({ id }, index): [string, number] => [id, (asked[index] as number) + spread(over, alive.length, index)])
  return new Map([...targets, ...lost.map(({ id, granted }): [string, number] => [id, granted])])
}

const spread = (amount: number, among: number, index: number): number => Math.floor(amount / among) + (index < amount % among ? 1 : 0)

/** Nobody gets more than it wishes, and nobody less than another unless it wishes less. */
function level(wishes: readonly number[], supply: number): number[] {
  const given = wishes.map(() => 0)
  let left = supply
  for (let open = wishes.map((_, index) => index); open.length > 0 && left > 0; ) {
    const each = Math.max(1, Math.floor(left / open.length))
    open = open.filter((index) => (wishes[index] as number) > (given[index] as number))
    for (const index of open) {
      const more = Math.min(each, left, (wishes[index] as number) - (given[index] as number))
      given[index] = (given[index] as number) + more
      left -= more
    }
  }
  return given
}
