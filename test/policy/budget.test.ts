import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type BudgetInput,
  type Claim,
  feedsOneMore,
  freeConnections,
  mostWorkers,
  nextWords,
  shareOut,
} from '../../packages/supervisor/src/policy/budget.ts'
import { type LeaseState, grant, hear, isPending, noLease } from '../../packages/supervisor/src/policy/lease.ts'

const claim = (workerId: number, kind: Claim['kind'], lease: Partial<LeaseState> = {}): Claim => ({ workerId, kind, lease: { ...noLease, ...lease } })
const held = (connections: number, more: Partial<LeaseState> = {}): Partial<LeaseState> => ({
  sequence: 1,
  granted: connections,
  held: connections,
  acknowledged: connections,
  confirmed: 1,
  ...more,
})
const targets = (input: BudgetInput): number[] => [...shareOut(input).values()]

describe('shareOut', () => {
  it('gives an idle fleet equal parts, and keeps a floor for a newcomer', () => {
    expect(targets({ available: 20, floor: 2, quarantined: 0, claims: [claim(1, 'serving'), claim(2, 'serving'), claim(3, 'serving')] })).toEqual([
      6, 6, 6,
    ])
  })

  it('follows demand, and leaves everybody its floor', () => {
    const claims = [claim(1, 'serving', { inUse: 9, waiting: 30 }), claim(2, 'serving'), claim(3, 'serving', { inUse: 1 })]
    expect(targets({ available: 20, floor: 2, quarantined: 0, claims })).toEqual([16, 2, 2])
  })

  it('cuts two that want too much to the same size', () => {
    const claims = [claim(1, 'serving', { waiting: 50 }), claim(2, 'serving', { waiting: 500 }), claim(3, 'serving', { inUse: 4 })]
    expect(targets({ available: 20, floor: 2, quarantined: 0, claims })).toEqual([8, 8, 4])
  })

  it('gives a spare its floor, and who leaves no more than it uses', () => {
    const claims = [claim(1, 'serving'), claim(2, 'waiting'), claim(3, 'leaving', held(10, { inUse: 5, waiting: 9 })), claim(4, 'leaving', held(10))]
    expect(targets({ available: 30, floor: 2, quarantined: 0, claims })).toEqual([14, 2, 10, 2])
  })

  it('counts what the dead and the stuck hold as gone', () => {
    const claims = [claim(1, 'serving', { waiting: 50 }), claim(2, 'silent', held(6, { granted: 4 }))]
    expect(targets({ available: 20, floor: 2, quarantined: 5, claims })).toEqual([9, 4])
  })
})

describe('nextWords', () => {
  it('shrinks first, and grows only by what is proven free', () => {
    const claims = [claim(1, 'serving', held(10)), claim(2, 'serving', held(10, { inUse: 10, waiting: 40 })), claim(3, 'serving')]
    const words = nextWords({ available: 20, floor: 2, quarantined: 0, claims })
    expect(words).toEqual([{ workerId: 1, granted: 2 }])
  })

  it('serves a floor before a wish', () => {
    const claims = [claim(1, 'serving', held(5, { inUse: 5, waiting: 90 })), claim(2, 'serving')]
    expect(nextWords({ available: 9, floor: 2, quarantined: 2, claims })).toEqual([{ workerId: 2, granted: 2 }])
  })

  it('takes back a shrinking that was not confirmed without asking anybody', () => {
    const claims = [claim(1, 'serving', held(8, { granted: 2, inUse: 8, waiting: 2 })), claim(2, 'serving', held(2))]
    expect(nextWords({ available: 10, floor: 2, quarantined: 0, claims })).toEqual([{ workerId: 1, granted: 8 }])
  })
})

describe('feedsOneMore and mostWorkers', () => {
  it('admits a worker once its floor can be had', () => {
    const claims = [claim(1, 'serving', held(10)), claim(2, 'silent', held(10))]
    expect(feedsOneMore({ available: 6, floor: 2, quarantined: 4, claims })).toBe(true)
    expect(feedsOneMore({ available: 5, floor: 2, quarantined: 0, claims })).toBe(false)
  })

  it('keeps a floor for the successor in a reload, and never forbids the first worker', () => {
    expect(mostWorkers(20, 2)).toBe(9)
    expect(mostWorkers(2, 2)).toBe(1)
  })
})

const kinds = ['serving', 'waiting', 'leaving', 'silent'] as const
const leases = fc
  .record({ sequence: fc.nat(5), granted: fc.nat(20), more: fc.nat(10), inUse: fc.nat(20), waiting: fc.nat(60), external: fc.nat(5) })
  .map(({ more, ...lease }): LeaseState => ({ ...lease, held: lease.granted + more, acknowledged: lease.granted + more, confirmed: lease.sequence }))
const claims = fc
  .array(fc.record({ kind: fc.constantFrom(...kinds), lease: leases }), { maxLength: 8 })
  .map((list) => list.map((each, index): Claim => ({ ...each, workerId: index + 1 })))
/** Any state that the rules can lead to: what is held was once available. */
const inputs = fc.record({ claims, floor: fc.integer({ min: 1, max: 4 }), quarantined: fc.nat(10), spare: fc.nat(30) }).map(
  ({ spare, ...rest }): BudgetInput => ({
    ...rest,
    available: spare + rest.quarantined + rest.claims.reduce((sum, { lease }) => sum + lease.held, 0),
  }),
)

/** The same in one unit at a time: the poorest that still wishes gets the next one. Slow, and easy to believe. */
function sharedOneByOne({ available, floor, quarantined, claims }: BudgetInput): Map<number, number> {
  const demand = (each: Claim) => each.lease.inUse + each.lease.waiting
  const targets = new Map<number, number>()
  let left = available - quarantined
  for (const each of claims) {
    if (each.kind === 'silent') left -= each.lease.held
    const kept =
      each.kind === 'silent' ? each.lease.granted : each.kind === 'leaving' ? Math.min(each.lease.granted, Math.max(floor, demand(each))) : 0
    targets.set(each.workerId, kept)
    if (each.kind === 'leaving') left -= kept
  }
  const hand = (wishes: ReadonlyMap<number, number>): void => {
    const given = new Map([...wishes.keys()].map((workerId) => [workerId, 0]))
    while (left > 0) {
      const open = [...given].filter(([workerId, connections]) => connections < (wishes.get(workerId) ?? 0))
      const poorest = open.sort(([a, x], [b, y]) => x - y || a - b)[0]
      if (!poorest) return
      given.set(poorest[0], poorest[1] + 1)
      targets.set(poorest[0], (targets.get(poorest[0]) ?? 0) + 1)
      left--
    }
  }
  const askable = claims.filter(({ kind }) => kind === 'serving' || kind === 'waiting')
  hand(new Map(askable.map((each) => [each.workerId, each.kind === 'waiting' ? floor : Math.max(floor, demand(each))])))
  left -= floor
  hand(new Map(askable.filter(({ kind }) => kind === 'serving').map(({ workerId }) => [workerId, 1e9])))
  return targets
}

describe('against a dumb model', () => {
  it('shares out the same', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        expect(shareOut(input)).toEqual(sharedOneByOne(input))
      }),
    )
  })

  it('does not depend on the order of the claims, and has nothing more to say once all is confirmed', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const turned = { ...input, claims: [...input.claims].reverse() }
        expect(shareOut(turned)).toEqual(shareOut(input))
        const target = shareOut(input)
        const settled = input.claims.map((each) => {
          const granted = target.get(each.workerId) ?? 0
          return { ...each, lease: { ...each.lease, granted, held: each.kind === 'silent' ? each.lease.held : granted } }
        })
        expect(nextWords({ ...input, claims: settled })).toEqual([])
      }),
    )
  })

  it('never has more out than there is, whatever is lost, late, doubled or out of order, and everybody has its floor when that ends', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(6), fc.nat(99), fc.nat(20)), { maxLength: 120 }), liveThrough))
  })
})

/** A worker as it must behave: it opens nothing beyond the newest word, and promises only what is true. */
interface Opener {
  sequence: number
  granted: number
  open: number
}

/** Three workers, a supervisor, and a network that does what `script` says. */
function liveThrough(script: readonly (readonly [number, number, number])[]): void {
  const available = 12
  const floor = 2
  const leases = new Map([1, 2, 3].map((workerId) => [workerId, noLease]))
  const openers = new Map([1, 2, 3].map((workerId): [number, Opener] => [workerId, { sequence: 0, granted: 0, open: 0 }]))
  let words: { workerId: number; sequence: number; granted: number }[] = []
  let promises: { workerId: number; sequence: number; holds: number; inUse: number; waiting: number; external: number }[] = []
  const input = (): BudgetInput => ({
    available,
    floor,
    quarantined: 0,
    claims: [...leases].map(([workerId, lease]) => ({ workerId, kind: 'serving', lease })),
  })
  const speak = (): void => {
    for (const { workerId, granted } of nextWords(input())) {
      const next = grant(leases.get(workerId) ?? noLease, granted)
      leases.set(workerId, next)
      words.push({ workerId, sequence: next.sequence, granted })
    }
  }
  const promise = (workerId: number, waiting: number): void => {
    const { sequence, granted, open } = openers.get(workerId) as Opener
    promises.push({ workerId, sequence, holds: Math.max(granted, open), inUse: open, waiting, external: 0 })
  }
  const take = (word: (typeof words)[number]): void => {
    const opener = openers.get(word.workerId) as Opener
    if (word.sequence > opener.sequence) Object.assign(opener, { sequence: word.sequence, granted: word.granted })
    promise(word.workerId, 0)
  }
  const check = (): void => {
    expect([...openers.values()].reduce((sum, { open }) => sum + open, 0)).toBeLessThanOrEqual(available)
    expect([...leases.values()].reduce((sum, lease) => sum + lease.held, 0)).toBeLessThanOrEqual(available)
    expect(freeConnections(input())).toBeGreaterThanOrEqual(0)
  }
  const act = (what: number, which: number, amount: number): void => {
    const workerId = (which % 3) + 1
    const opener = openers.get(workerId) as Opener
    const word = words[which % Math.max(1, words.length)]
    const told = promises[which % Math.max(1, promises.length)]
    if (what === 0) opener.open = Math.max(opener.open, Math.min(opener.granted, opener.open + amount))
    if (what === 1) opener.open = Math.max(0, opener.open - amount)
    if (what === 2) promise(workerId, amount)
    if (what === 3 && word) take(word)
    if (what === 4 && told) leases.set(told.workerId, hear(leases.get(told.workerId) ?? noLease, told))
    if (what === 5) words = words.filter((each) => each !== word)
    if (what === 6) promises = promises.filter((each) => each !== told)
    speak()
    check()
  }
  for (const [what, which, amount] of script) act(what, which, amount)
  // Faults off: words are said again until they are confirmed, and nobody keeps what it does not need.
  for (let round = 0; round < 10; round++) {
    for (const [workerId, { sequence, granted }] of leases) take({ workerId, sequence, granted })
    for (const opener of openers.values()) opener.open = Math.min(opener.open, opener.granted)
    for (const [workerId] of leases) promise(workerId, 0)
    for (const told of promises) leases.set(told.workerId, hear(leases.get(told.workerId) ?? noLease, told))
    promises = []
    speak()
    check()
  }
  const granted = [...leases.values()].map((lease) => lease.granted)
  expect(Math.min(...granted)).toBeGreaterThanOrEqual(floor)
  expect(granted.reduce((sum, each) => sum + each, 0)).toBe(available - floor)
  expect([...leases.values()].every((lease) => !isPending(lease))).toBe(true)
}

it('a word that was lost is said again, though it says what an older one did that was confirmed', () => {
  const use = { inUse: 0, waiting: 0, external: 0 }
  const confirmed = hear(grant(noLease, 14), { sequence: 1, holds: 14, ...use })
  expect(isPending(confirmed)).toBe(false)
  const lost = grant(grant(confirmed, 11), 14)
  expect(isPending(hear(lost, { sequence: 2, holds: 11, ...use }))).toBe(true)
  expect(isPending(hear(lost, { sequence: 3, holds: 14, ...use }))).toBe(false)
})
