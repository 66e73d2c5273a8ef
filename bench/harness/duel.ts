import type { Contestant } from './contestants.ts'
import { type LoadWish, measureRate, type Rate } from './load.ts'
import { median, sum } from './statistics.ts'

export interface Duel {
  /** Ours over theirs, one for each pair of rounds. */
  readonly ratios: readonly number[]
  readonly ours: readonly Rate[]
  readonly theirs: readonly Rate[]
}

export interface DuelPlan {
  /** Fresh processes in each, so that one lucky or unlucky start does not decide. */
  readonly starts: number
  readonly pairsPerStart: number
  readonly load: Omit<LoadWish, 'port'>
  /** Our own generator, unless it says otherwise. */
  readonly measure?: typeof measureRate
}

/** The same load on both in turn, ABBA, so that a machine that slows down or speeds up favours nobody. */
export async function duel(startOurs: () => Promise<Contestant>, startTheirs: () => Promise<Contestant>, plan: DuelPlan): Promise<Duel> {
  const ours: Rate[] = []
  const theirs: Rate[] = []
  for (let begin = 0; begin < plan.starts; begin++) {
    const one = await startOurs()
    const other = await startTheirs()
    // What has just started runs code that is not compiled yet.
    await play(one, plan, [])
    await play(other, plan, [])
    const sides = [() => play(one, plan, ours), () => play(other, plan, theirs)]
    for (let pair = 0; pair < plan.pairsPerStart; pair++) {
      for (const side of pair % 2 === 0 ? sides : sides.toReversed()) await side()
    }
    await Promise.all([one.stop(), other.stop()])
  }
  return { ours, theirs, ratios: ours.map(({ perSecond }, index) => perSecond / (theirs[index]?.perSecond ?? Number.NaN)) }
}

async function play(contestant: Contestant, plan: DuelPlan, rates: Rate[]): Promise<void> {
  const measure = plan.measure ?? measureRate
  rates.push(await measure(contestant.pid, { ...plan.load, port: contestant.port }))
}

/** The sides' medians, for people and for the record. */
export function summarize(rates: readonly Rate[]): {
  perSecond: number
  serverMicrosecondsPerRequest: number
  generatorCores: number
  failures: number
} {
  return {
    perSecond: Math.round(median(rates.map((rate) => rate.perSecond))),
    serverMicrosecondsPerRequest: Math.round(median(rates.map((rate) => rate.serverMicrosecondsPerRequest)) * 10) / 10,
    generatorCores: Math.round(median(rates.map((rate) => rate.generatorCores)) * 100) / 100,
    failures: sum(rates.flatMap((rate) => Object.values(rate.failures))),
  }
}
