import type { Ledger } from './workplace.ts'

export function sumOf(ledgers: Iterable<Ledger>): Ledger {
  const sum = { arrived: 0, answered: 0, cut: 0, waiting: 0 }
  for (const { arrived, answered, cut, waiting } of ledgers) {
    sum.arrived += arrived
    sum.answered += answered
    sum.cut += cut
    sum.waiting += waiting
  }
  return sum
}
