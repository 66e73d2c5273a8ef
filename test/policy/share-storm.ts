import { beat, type Cluster, MARGIN_MS, needsCensus, needsSweep, type Part, type Sweep, TTL_MS } from '../../packages/supervisor/src/policy/share.ts'

/** One keeper, some replicas with real connections, and all that can go wrong between them. Every figure is drawn from the seed. */

const AVAILABLE = 40
const FLOOR = 4
const MOST_REPLICAS = 4
const STEP_MS = 100
/** What a replica gives up before its time is over, as in production. */
const EARLY_MS = 2000

export interface StormOptions {
  readonly seed: number
  readonly steps: number
  /** For a test of the test: what a broken policy would do. */
  readonly beat?: typeof beat
  /** For a test of the test: a replica that goes on with what it was lent for ever. */
  readonly neverEnds?: boolean
}

export interface StormResult {
  /** The most connections that were open at any time, beside the limit. */
  readonly most: number
  readonly limit: number
  /** The most in the last ten seconds, with all faults off and everybody in need. */
  readonly inUse: number
  readonly faults: number
}

interface Replica {
  readonly id: string
  granted: number
  /** What its workers have not confirmed yet that they gave back, whether they have it or not. */
  unheard: number
  untilMs: number
  open: number
  sequence: number
  seenVersion: number
  sweep: Sweep | null
  wants: number
  /** Does nothing, and its workers go on. */
  pausedUntilMs: number
  isCutOff: boolean
  isDead: boolean
  /** Read, not yet written: others come in between. */
  pending: { text: string; cluster: Cluster | null; nowMs: number; askedAtMs: number } | null
  seenEpoch: { name: string; sinceMs: number }
  seen: Map<string, { sequence: number; sinceMs: number }>
}

export function storm({ seed, steps, beat: beatOf = beat, neverEnds = false }: StormOptions): StormResult {
  const draw = randomOf(seed)
  const chance = (share: number): boolean => draw() < share
  let nowMs = 1_000_000
  /** The keeper's clock: it may jump. */
  let skewMs = 0
  let text = ''
  let keeper = 'first'
  const copies: string[] = []
  let born = 0
  let lossShare = 0.05
  let most = 0
  let faults = 0
  /** Connections of the dead: the server drops them one by one. */
  const orphans = new Map<string, number>()
  const replicas: Replica[] = []

  const allOpen = (): number => replicas.reduce((sum, { open }) => sum + open, 0) + [...orphans.values()].reduce((sum, open) => sum + open, 0)
  const newReplica = (): Replica => ({
    id: `r${++born}`,
    granted: -FLOOR,
    unheard: 0,
    untilMs: 0,
    open: 0,
    sequence: 0,
    seenVersion: 0,
    sweep: null,
    wants: 0,
    pausedUntilMs: 0,
    isCutOff: false,
    isDead: false,
    pending: null,
    seenEpoch: { name: '', sinceMs: 0 },
    seen: new Map(),
  })
  const mayOpen = ({ granted, untilMs }: Replica): number => FLOOR + (nowMs < untilMs || granted < 0 || neverEnds ? granted : 0)

  function partOf(replica: Replica): Part {
    if (nowMs >= replica.untilMs - EARLY_MS && !neverEnds && replica.granted > 0) {
      replica.unheard = replica.granted
      replica.granted = 0
    } else if (chance(0.3)) replica.unheard = 0
    return {
      available: AVAILABLE,
      floor: FLOOR,
      replicas: MOST_REPLICAS,
      wants: replica.wants,
      granted: replica.granted,
      held: Math.max(replica.open - FLOOR, replica.unheard),
    }
  }

  function read(replica: Replica): void {
    replica.pending = { text, cluster: text === '' ? null : (JSON.parse(text) as Cluster), nowMs: nowMs + skewMs, askedAtMs: nowMs }
  }

  function write(replica: Replica, leaves = false): void {
    const { pending } = replica
    replica.pending = null
    if (!pending) return
    const { id, sweep, seenVersion } = replica
    const cluster = beatOf(pending.cluster, {
      member: id,
      sequence: ++replica.sequence,
      keeper,
      nowMs: pending.nowMs,
      seenVersion,
      newEpoch: `e${draw()}`,
      part: partOf(replica),
      says: null,
      sweep,
      leaves,
    })
    const isLost = chance(replica.isCutOff ? 1 : lossShare)
    const isDone = text === pending.text && !(replica.isCutOff && chance(0.5))
    if (isDone) {
      if (text !== '' && chance(0.05)) copies.push(text)
      text = JSON.stringify(cluster)
    }
    if (!isDone || isLost) return
    replica.seenVersion = cluster.version
    replica.sweep = null
    replica.granted = cluster.members[id]?.part?.granted ?? 0
    replica.untilMs = pending.askedAtMs + TTL_MS
    watch(replica, cluster)
    if (needsCensus(cluster, id) || (needsSweep(cluster, pending.nowMs) && mayAsk(replica, cluster)))
      replica.sweep = sweepOf(replica, cluster, pending.nowMs)
  }

  function watch(replica: Replica, { epoch, members }: Cluster): void {
    if (replica.seenEpoch.name !== epoch) replica.seenEpoch = { name: epoch, sinceMs: nowMs }
    for (const [id, { sequence }] of Object.entries(members))
      if (replica.seen.get(id)?.sequence !== sequence) replica.seen.set(id, { sequence, sinceMs: nowMs })
  }

  const isOld = (sinceMs: number): boolean => nowMs - sinceMs >= TTL_MS + MARGIN_MS
  const mayAsk = ({ seenEpoch, seen }: Replica, { isSwept }: Cluster): boolean =>
    isSwept ? [...seen.values()].some(({ sinceMs }) => isOld(sinceMs)) : isOld(seenEpoch.sinceMs)

  function sweepOf({ seen }: Replica, { epoch, members }: Cluster, atMs: number): Sweep {
    const sequences = Object.fromEntries(
      Object.entries(members).flatMap(([id, { sequence }]) => (isOld(seen.get(id)?.sinceMs ?? nowMs) ? [[id, sequence]] : [])),
    )
    const open = [...replicas.map(({ id, open: count }): [string, number] => [id, count]), ...orphans].filter(([, count]) => count > 0)
    return { epoch, atMs, sequences, connections: Object.fromEntries(open), unnamed: 0 }
  }

  function live(replica: Replica): void {
    if (chance(0.1)) replica.wants = Math.floor(draw() * 50)
    // Workers open as much as they need, and close what they may not have as soon as its query is over.
    const need = FLOOR + replica.wants
    const allowed = mayOpen(replica)
    if (replica.open < Math.min(need, allowed)) replica.open += Math.ceil(draw() * (Math.min(need, allowed) - replica.open))
    else if (replica.open > Math.min(need, allowed) && chance(0.3)) replica.open--
    if (nowMs < replica.pausedUntilMs) return
    if (replica.pending) write(replica)
    else if (chance(0.2)) read(replica)
  }

  function harm(): void {
    faults++
    const victim = replicas[Math.floor(draw() * replicas.length)] as Replica
    const kinds: (() => void)[] = [
      () => {
        text = ''
      },
      () => {
        const copy = copies.at(-1)
        if (copy === undefined) return
        text = copy
        keeper = `k${draw()}`
      },
      () => {
        text = ''
        keeper = `k${draw()}`
      },
      () => {
        skewMs += Math.floor((draw() - 0.5) * 60_000)
      },
      () => {
        victim.pausedUntilMs = nowMs + draw() * 30_000
      },
      () => {
        victim.isCutOff = !victim.isCutOff
      },
      () => {
        victim.isDead = true
        orphans.set(victim.id, victim.open)
        replicas.splice(replicas.indexOf(victim), 1)
        replicas.push(newReplica())
      },
      () => {
        read(victim)
        victim.granted = 0
        write(victim, true)
        orphans.set(victim.id, victim.open)
        replicas.splice(replicas.indexOf(victim), 1)
        replicas.push(newReplica())
      },
    ]
    ;(kinds[Math.floor(draw() * kinds.length)] as () => void)()
  }

  function pass(): void {
    nowMs += STEP_MS
    for (const replica of replicas) live(replica)
    for (const [id, open] of orphans) if (chance(0.05)) orphans.set(id, Math.max(0, open - 1))
    for (const [id, open] of orphans) if (open === 0) orphans.delete(id)
    most = Math.max(most, allOpen())
  }

  for (let i = 0; i < MOST_REPLICAS; i++) replicas.push(newReplica())
  for (let step = 0; step < steps; step++) {
    pass()
    // A dead one's floor is another one's only once its connections are gone: as many come as may be there.
    if (chance(0.01) && orphans.size === 0) harm()
  }
  lossShare = 0
  for (const replica of replicas) Object.assign(replica, { isCutOff: false, pausedUntilMs: 0 })
  let inUse = 0
  for (let step = 0; step < 600; step++) {
    for (const replica of replicas) replica.wants = 50
    pass()
    // Turns fall by chance here, so at any one moment somebody may have been late and be without its loan.
    if (step >= 500) inUse = Math.max(inUse, allOpen())
  }
  return { most, limit: AVAILABLE, inUse, faults }
}

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
