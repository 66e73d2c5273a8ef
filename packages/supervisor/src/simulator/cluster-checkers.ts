/**
 * Judges how replicas share one budget of database connections, by what the server counts and by when replicas asked, and without the code
 * that shares it out.
 */

export interface ClusterSeen {
  readonly atMs: number
  /** Those too that are gone and have left connections. `askedAtMs`: when the call was sent by which it has what it was lent. */
  readonly replicas: readonly SeenReplica[]
  /** Redis has lost what it knew since the last look; this is what each was lent then. */
  readonly lentAtLoss: Readonly<Record<string, number>> | null
}

interface SeenReplica {
  readonly id: string
  readonly connections: number
  readonly askedAtMs: number
  /** What it believes to be lent; null where it is gone. */
  readonly lent: number | null
}

/** What is promised of loans: so long does one last, and so long does nobody rely on what may be lost. */
const LOAN_MS = 6000
const CALM_MS = 7500
/** Deaths and drains go on without faults, and each lets what was lent wander. */
const REST_WITHIN_MS = 60_000

export class ClusterCheckers {
  readonly #available: number
  readonly #floor: number
  #before: ReadonlyMap<string, number> = new Map()
  /** When all that there is was last lent, and nobody was left who is gone. */
  restedAtMs: number | null = null
  #loss: { readonly atMs: number; readonly allowed: ReadonlyMap<string, number> } | null = null

  /** `available` is what all replicas together may have, `floor` what each may have without asking. */
  constructor({ available, floor }: { readonly available: number; readonly floor: number }) {
    this.#available = available
    this.#floor = floor
  }

  /** Every rule that is broken, one sentence each, with the number it has among the invariants. */
  after(seen: ClusterSeen): string[] {
    if (seen.lentAtLoss) this.#noteLoss(seen, seen.lentAtLoss)
    const broken = this.#judgeSum(seen)
    for (const replica of seen.replicas) broken.push(...this.#judgeLoan(replica, seen), ...this.#judgeCalm(replica, seen))
    this.#before = new Map(seen.replicas.map(({ id, connections }) => [id, connections]))
    if (restless(seen, this.#available, this.#floor) === null) this.restedAtMs = seen.atMs
    return broken.map((sentence) => `at ${seen.atMs} ms, of all replicas: ${sentence}`)
  }

  /** What is wrong if nothing has come to rest for long after the faults. */
  atRest(seen: ClusterSeen): string[] {
    if (this.restedAtMs !== null && seen.atMs - this.restedAtMs < REST_WITHIN_MS) return []
    return [`I9: ${restless(seen, this.#available, this.#floor) ?? 'there was no rest'}, long after all faults have ended`]
  }

  #judgeSum({ replicas }: ClusterSeen): string[] {
    const sum = replicas.reduce((total, { connections }) => total + connections, 0)
    if (sum <= this.#available) return []
    const each = replicas.map(({ id, connections }) => `${id} ${connections}`).join(', ')
    return [`I1: the server counts ${sum} connections (${each}); the budget is ${this.#available}`]
  }

  /** Beyond the floor nothing is opened once the loan is over, whoever stands still meanwhile. */
  #judgeLoan({ id, connections, askedAtMs }: SeenReplica, { atMs }: ClusterSeen): string[] {
    const most = Math.max(this.#floor, this.#before.get(id) ?? 0)
    if (this.#before.size === 0 || atMs - askedAtMs <= LOAN_MS || connections <= most) return []
    return [`I5: ${id} has grown to ${connections} connections by a loan that it asked for ${atMs - askedAtMs} ms ago`]
  }

  #noteLoss({ atMs, replicas }: ClusterSeen, lent: Readonly<Record<string, number>>): void {
    const allowed = replicas.map(({ id, connections }): [string, number] => [
      id,
      Math.max(this.#floor, connections, this.#before.get(id) ?? 0, this.#floor + (lent[id] ?? 0), this.#loss?.allowed.get(id) ?? 0),
    ])
    this.#loss = { atMs, allowed: new Map(allowed) }
  }

  /** Who has more after Redis has forgotten than it had before took it from somebody. */
  #judgeCalm({ id, connections }: SeenReplica, { atMs }: ClusterSeen): string[] {
    if (!this.#loss || atMs - this.#loss.atMs >= CALM_MS) return []
    const most = this.#loss.allowed.get(id) ?? this.#floor
    return connections > most ? [`I7: ${id} has ${connections} connections ${atMs - this.#loss.atMs} ms after Redis forgot; it had ${most}`] : []
  }
}

/** Why it is not at rest; null where it is. What nobody needs is lent as well, so that a rush finds it there. */
function restless({ replicas }: ClusterSeen, available: number, floor: number): string | null {
  const gone = replicas.filter(({ lent }) => lent === null)
  if (gone.length > 0) return `${gone.map(({ id }) => id).join(', ')} is gone and has connections`
  const sum = replicas.reduce((total, { lent }) => total + floor + (lent ?? 0), 0)
  return sum === available ? null : `${sum} of ${available} connections are with the ${replicas.length} replicas`
}
