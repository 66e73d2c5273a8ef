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
  /** The most that it may have open, by both. */
  most: number
}

export class LeaseBooks {
  readonly #accounts = new Map<number, Account>()
  #total = 0

  /** A word is said. Answers what is wrong with it. */
  say(workerId: number, sequence: number, granted: number): string[] {
    const account = this.#accountOf(workerId)
    const said = account.later.find((word) => word.sequence === sequence)
    if (sequence < account.sequence) return [`worker ${workerId} was told word ${sequence} after word ${account.sequence}`]
    if (said && said.granted !== granted) return [`word ${sequence} to worker ${workerId} said ${said.granted}, and now ${granted}`]
    account.sequence = sequence
    if (!said && sequence > account.promised.sequence) account.later.push({ sequence, granted })
    this.#sumUp(account)
    return []
  }

  /** A promise has arrived, maybe late, maybe twice. */
  promise(workerId: number, sequence: number, holds: number): void {
    const account = this.#accounts.get(workerId)
    if (!account || sequence < account.promised.sequence || sequence > account.sequence) return
    const isFirst = sequence > account.promised.sequence
    account.promised = { sequence, holds: isFirst ? holds : Math.min(holds, account.promised.holds) }
    account.later = account.later.filter((word) => word.sequence > sequence)
    this.#sumUp(account)
  }

  #sumUp(account: Account): void {
    this.#total -= account.most
    account.most = account.later.reduce((most, { granted }) => Math.max(most, granted), account.promised.holds)
    this.#total += account.most
  }

  /** The most that it may have open. */
  mostOf(workerId: number): number {
    return this.#accounts.get(workerId)?.most ?? 0
  }

  newestWordTo(workerId: number): number {
    return this.#accounts.get(workerId)?.sequence ?? 0
  }

  close(workerId: number): void {
    this.#total -= this.mostOf(workerId)
    this.#accounts.delete(workerId)
  }

  total(): number {
    return this.#total
  }

  #accountOf(workerId: number): Account {
    const known = this.#accounts.get(workerId)
    if (known) return known
    const account: Account = { sequence: 0, promised: { sequence: 0, holds: 0 }, later: [], most: 0 }
    this.#accounts.set(workerId, account)
    return account
  }
}
