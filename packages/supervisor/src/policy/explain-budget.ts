import { type BudgetInput, type Claim, freeConnections, shareOut } from './budget.ts'

const KINDS: Readonly<Record<Claim['kind'], string>> = {
  serving: '',
  waiting: ' (spare: its floor only)',
  leaving: ' (leaving: gets no more)',
  silent: ' (silent: nothing can be taken back)',
}

/** Who may have how many connections, and why: one sentence for the whole and one for each worker. */
export function explainBudget(input: BudgetInput, foreign: { readonly connections: number; readonly excess: number }): string[] {
  const { available, floor, quarantined, claims } = input
  const targets = shareOut(input)
  const beside = foreign.excess > 0 ? `, ${foreign.excess} fewer because of ${foreign.connections} foreign ones` : ''
  const dead = quarantined > 0 ? `, ${quarantined} reserved until the server has closed those of workers that are gone` : ''
  const whole = `${available} connections for workers${beside}${dead}; ${freeConnections(input)} free; no worker has less than ${floor} unless they are reserved`
  return [whole, ...claims.map((claim) => explainClaim(claim, targets.get(claim.workerId) ?? 0))]
}

function explainClaim({ workerId, kind, lease }: Claim, target: number): string {
  const { granted, held, inUse, waiting } = lease
  const parts = [`worker ${workerId}${KINDS[kind]} may open ${granted} and needs ${inUse + waiting} (${inUse} in use, ${waiting} waiting)`]
  if (held > granted) parts.push(`has to give back ${held - granted}`)
  if (target > granted) parts.push(`gets ${target - granted} more as soon as they are proven free`)
  else if (kind === 'serving' && inUse + waiting > granted) parts.push('this is its fair part')
  return parts.join(', ')
}
