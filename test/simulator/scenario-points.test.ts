import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import type { Fleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import type { Note } from '../../packages/supervisor/src/fleet/note.ts'
import { Judge } from '../../packages/supervisor/src/simulator/judge.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { World } from '../../packages/supervisor/src/simulator/world.ts'

const folder = path.join(import.meta.dirname, '../../packages/supervisor/scenarios')

interface Seen {
  readonly fleet: Fleet
  readonly notes: readonly (Note & { readonly atS: number })[]
  /** After each step. */
  readonly moments: readonly {
    readonly atS: number
    readonly target: number
    readonly floor: number
    readonly ready: readonly number[]
    readonly leaving: number
  }[]
  readonly cut: number
  readonly broken: readonly string[]
}

/** A scenario of the library, or what becomes of it with some fields changed, watched step by step. */
function watch(name: string, change: (given: Record<string, unknown>) => object = () => ({})): Seen {
  const given = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as Record<string, unknown>
  const plan = readScenario(JSON.stringify({ ...given, ...change(given) }), name)
  const capacity = { ...plan.scenario.host, source: 'host' as const }
  const { fleet } = resolveOptions({ entry: './app.js', ...plan.options }, { baseFolder: '/', environment: {}, capacity, isTerminal: false })
  const settings = { ...fleet, tickMs: plan.tickMs }
  const judge = new Judge(settings)
  const notes: Seen['notes'][number][] = []
  const moments: Seen['moments'][number][] = []
  const broken: string[] = []
  let cut = 0
  const world = new World(settings, plan.scenario, plan.startsAtMs, (turn) => {
    const atS = turn.atMs / 1000
    const { target, limits, workers } = turn.fleet
    const ready = workers.flatMap(({ id, life }) => (life.kind === 'ready' ? [id] : []))
    const leaving = workers.filter(({ life }) => life.kind === 'draining' || life.kind === 'killing').length
    notes.push(...turn.notes.map((note) => ({ ...note, atS })))
    if (turn.event.kind === 'sampled') moments.push({ atS, target, floor: limits.min, ready, leaving })
    broken.push(...judge.after(turn))
    cut = turn.ledger.cut
  })
  world.run(plan.durationMs)
  return { fleet: world.fleet, notes, moments, cut, broken }
}

const kindsOf = ({ notes }: Seen, ...kinds: readonly Note['kind'][]): string[] =>
  notes.map(({ kind }) => kind).filter((kind) => kinds.includes(kind as Note['kind']))
const changesOf = ({ notes }: Seen) =>
  notes.flatMap((note) => (note.kind === 'fleet:scaled' ? [{ atS: note.atS, from: note.from, to: note.to }] : []))
const readyOf = ({ fleet }: Seen): { id: number; generation: number }[] =>
  fleet.workers.flatMap(({ id, generation, life }) => (life.kind === 'ready' ? [{ id, generation }] : []))

test('bad-release: the reload is given up, and the workers that were there before it serve on', () => {
  const seen = watch('bad-release')
  expect(kindsOf(seen, 'reload:started', 'reload:aborted', 'reload:done')).toEqual(['reload:started', 'reload:aborted'])
  expect(readyOf(seen).map(({ id, generation }) => [id, generation])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ])
  expect(seen.moments.filter(({ atS, ready }) => atS >= 20 && ready.length < 3)).toEqual([])
  expect([seen.cut, seen.fleet.reload, seen.broken]).toEqual([0, null, []])
})

test('deploy-at-peak: every worker is replaced by one of the new generation, and never are there fewer', () => {
  const seen = watch('deploy-at-peak')
  expect(seen.notes.filter(({ kind }) => kind.startsWith('reload:'))).toMatchObject([
    { kind: 'reload:started', atS: 900, generation: 2 },
    { kind: 'reload:done', generation: 2, replaced: 5 },
  ])
  expect(readyOf(seen).map(({ generation }) => generation)).toEqual([2, 2, 2, 2, 2])
  expect(seen.moments.filter(({ atS, ready }) => atS >= 20 && ready.length < 5)).toEqual([])
  expect([seen.cut, seen.broken]).toEqual([0, []])
})

test('slow-leak: workers above their limit are replaced, one at a time, and there are never fewer than asked for', () => {
  const seen = watch('slow-leak')
  const recycled = seen.notes.flatMap((note) => (note.kind === 'worker:memory' ? [note.workerId] : []))
  expect(recycled.length).toBeGreaterThanOrEqual(2)
  expect(readyOf(seen).map(({ id }) => id)).not.toEqual(expect.arrayContaining(recycled))
  expect(Math.max(...seen.moments.map(({ leaving }) => leaving))).toBe(1)
  expect(seen.moments.filter(({ atS, ready }) => atS >= 20 && ready.length < 2)).toEqual([])
  expect([seen.cut, seen.broken]).toEqual([0, []])
})

test('reports-lost: nothing leaves while they are lost; once they are back for a whole window the fleet shrinks', () => {
  const shrunk = changesOf(watch('reports-lost')).filter(({ from, to }) => to < from)
  expect(shrunk.length).toBeGreaterThan(0)
  // The first report that is back tells of the second before it.
  for (const { atS } of shrunk) expect(atS).toBeGreaterThanOrEqual(430 + 300 - 1)
  // The calm alone would have let it shrink in that very time.
  const [known] = changesOf(watch('reports-lost', () => ({ faults: [] }))).filter(({ from, to }) => to < from)
  expect(known?.atS).toBeLessThan(430)
})

test('reports-lost, with health.stuckAfter as it is by default: who says nothing for ten seconds is replaced, and those who came shrink after a window of their own', () => {
  const seen = watch('reports-lost', () => ({ config: { scaling: { cooldown: { down: '60s' } } } }))
  const stuck = seen.notes.flatMap((note) => (note.kind === 'worker:stuck' ? [[note.workerId, note.atS]] : []))
  expect(stuck).toEqual([1, 2, 3, 4, 5].map((workerId) => [workerId, 140]))
  expect(readyOf(seen).every(({ id }) => id > 5)).toBe(true)
  const full = seen.moments.find(({ atS, ready }) => atS > 140 && ready.length === 4 && Math.min(...ready) > 5)
  expect(full?.atS).toBeLessThan(145)
  const [shrunk] = changesOf(seen).filter(({ from, to }) => to < from)
  expect(shrunk?.atS).toBeGreaterThanOrEqual(140 + 300)
  expect(seen.broken).toEqual([])
})

const calm = [{ atS: 0, requestsPerSecond: 20 }]

test('night-and-weekend: on Friday three workers are there from eight on, whatever the load, and they leave after eighteen', () => {
  const seen = watch('night-and-weekend', () => ({ durationS: 19 * 3600, load: calm }))
  const at = (hour: number, minute: number) => seen.moments.find(({ atS }) => atS >= hour * 3600 + minute * 60)
  expect(at(7, 59)).toMatchObject({ target: 1, floor: 1, ready: [1] })
  expect([at(8, 1)?.floor, at(8, 1)?.target, at(8, 1)?.ready.length]).toEqual([3, 3, 3])
  expect([at(17, 59)?.floor, at(17, 59)?.target]).toEqual([3, 3])
  expect([at(18, 1)?.floor, at(18, 59)?.target]).toEqual([1, 1])
  expect(seen.notes.find(({ kind }) => kind === 'fleet:scaled')).toMatchObject({ from: 1, to: 3, reason: 'the floor is 3' })
  expect([seen.cut, seen.broken]).toEqual([0, []])
})

test.for(['2026-01-10T07:30:00Z', '2026-01-11T07:30:00Z'])('night-and-weekend: on the weekend, from %s on, there is no such floor', (startsAt) => {
  const seen = watch('night-and-weekend', () => ({ durationS: 3600, startsAt, load: calm }))
  expect(seen.moments.filter(({ floor, target }) => floor !== 1 || target !== 1)).toEqual([])
  // The same morning of a Monday has it.
  const monday = watch('night-and-weekend', () => ({ durationS: 3600, startsAt: '2026-01-12T07:30:00Z', load: calm }))
  expect(monday.moments.at(-1)).toMatchObject({ floor: 3, target: 3 })
})

/** Load and calm in turn, each for so long. */
function wave(everyS: number, durationS: number, requestsPerSecond: number, config: object = {}): Seen {
  const load = Array.from({ length: Math.ceil(durationS / everyS) }, (_, index) => {
    return { atS: 20 + index * everyS, requestsPerSecond: index % 2 === 0 ? requestsPerSecond : 20, step: true }
  })
  return watch('square-wave', () => ({ durationS, load: [{ atS: 0, requestsPerSecond: 0 }, ...load], config }))
}

/** How often its size changed in each period of the run. */
function changesPer(periodS: number, seen: Seen): number[] {
  const periods = Math.ceil((seen.moments.at(-1)?.atS ?? 0) / periodS)
  return Array.from({ length: periods }, (_, index) => changesOf(seen).filter(({ atS }) => Math.floor(atS / periodS) === index).length)
}

test.for([300, 400, 700])(
  'square-wave: of half a minute of %i requests a second and half a minute of calm it follows the first, and none of forty minutes after',
  (high) => {
    const seen = wave(30, 2400, high)
    const [first = 0, ...later] = changesPer(600, seen)
    expect(first).toBeGreaterThanOrEqual(1)
    expect(first).toBeLessThanOrEqual(4)
    expect(later).toEqual([0, 0, 0])
    expect([seen.cut, seen.broken]).toEqual([0, []])
  },
)

test('square-wave: of one so slow that every calm lets it shrink it follows less and less, since flapping lengthens the cooldown', () => {
  const [first = 0, second = 0] = changesPer(3600, wave(360, 7200, 400))
  const [, unpunished = 0] = changesPer(3600, wave(360, 7200, 400, { scaling: { flapPenalty: false } }))
  expect(second).toBeGreaterThan(0)
  expect(second).toBeLessThanOrEqual(first / 2)
  expect(unpunished).toBeGreaterThan(second)
})
