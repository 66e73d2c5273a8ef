/**
 * What each worker may have open, by nothing but the words it was told and the promises it gave. A worker that has promised no more than so
 * many after one word may since have heard any of the later ones.
 */
interface Account {
  /** Of the newest word said. */
  sequence: number
  /** The newest promise that counts, and the words said since then. */
  promised: { sequence: number; holds: number }
  later: { sequence: number; granted: number }[]
}

export class LeaseBooks {
  readonly #accounts = new Map<number, Account>()

  /** A word is said. Answers what is wrong with it. */
  say(workerId: number, sequence: number, granted: number): string[] {
    const account = this.#accountOf(workerId)
    const said = account.later.find((word) => word.sequence === sequence)
    if (sequence < account.sequence) return [`worker ${workerId} was told word ${sequence} after word ${account.sequence}`]
    if (said && said.granted !== granted) return [`word ${sequence} to worker ${workerId} said ${said.granted}, and now ${granted}`]
    account.sequence = sequence
    if (!said && sequence > account.promised.sequence) account.later.push({ sequence, granted })
    return []
  }

  /** A promise has arrived, maybe late, maybe twice. */
  promise(workerId: number, sequence: number, holds: number): void {
    const account = this.#accounts.get(workerId)
    if (!account || sequence < account.promised.sequence || sequence > account.sequence) return
    const isFirst = sequence > account.promised.sequence
    account.promised = { sequence, holds: isFirst ? holds : Math.min(holds, account.promised.holds) }
    account.later = account.later.filter((word) => word.sequence > sequence)
  }

  /** The most that it may have open. */
  mostOf(workerId: number): number {
    const account = this.#accounts.get(workerId)
    return account ? Math.max(account.promised.holds, ...account.later.map(({ granted }) => granted)) : 0
  }

  newestWordTo(workerId: number): number {
    return this.#accounts.get(workerId)?.sequence ?? 0
  }

  close(workerId: number): void {
    this.#accounts.delete(workerId)
  }

  total(): number {
    let sum = 0
    for (const workerId of this.#accounts.keys()) sum += this.mostOf(workerId)
    return sum
  }

  #accountOf(workerId: number): Account {
    const known = this.#accounts.get(workerId)
    if (known) return known
    const account: Account = { sequence: 0, promised: { sequence: 0, holds: 0 }, later: [] }
    this.#accounts.set(workerId, account)
    return account
  }
}
