import { chooseGates, emptiestOf, type Gate } from '../policy/gate.ts'
import type { PrimaryMessage } from '../wire/messages.ts'
import type { BoundHandle } from './acceptor.ts'

/** While a gate is shut, clients may have to wait for the emptiest worker: so often it has to show that it is not stuck. */
const ASK_MS = 50

export interface Gatekeeper {
  /** These workers take clients now, and no others. */
  admit(workerIds: readonly number[]): void
  heard(workerId: number, told: { readonly connections: number; readonly takesMore: boolean }): void
  /** A socket at which the primary itself accepts, and gives the connections to workers. */
  deal?(handle: BoundHandle): void
  close(): void
}

type Send = (workerId: number, message: Extract<PrimaryMessage, { kind: 'gate' | 'count' }>) => void

/** Keeps connections even over the workers: per worker a number and a flag, and nothing per connection. */
export function createGatekeeper(send: Send, askMs: number = ASK_MS): Gatekeeper {
  let gates = new Map<number, Gate>()
  let asked: number | null = null
  let timer: NodeJS.Timeout | undefined

  const change = (gate: Gate, fields: Partial<Gate>): void => void gates.set(gate.workerId, { ...gate, ...fields })

  const settle = (): void => {
    for (const { workerId, open } of chooseGates([...gates.values()])) {
      change(gates.get(workerId) as Gate, { isOpen: open })
      send(workerId, { kind: 'gate', open })
    }
    if ([...gates.values()].every(({ isOpen }) => isOpen)) stopAsking()
    else timer ??= setInterval(ask, askMs)
  }

  const ask = (): void => {
    const late = asked === null ? undefined : gates.get(asked)
    asked = null
    if (late) {
      change(late, { isSilent: true })
      settle()
    }
    const emptiest = timer === undefined ? null : emptiestOf([...gates.values()])
    if (emptiest === null) return
    asked = emptiest.workerId
    send(asked, { kind: 'count' })
  }

  const stopAsking = (): void => {
    clearInterval(timer)
    timer = undefined
    asked = null
  }

  return {
    admit(workerIds) {
      const newcomer = { connections: 0, takesMore: false, isSilent: false, isOpen: true }
      gates = new Map(workerIds.map((workerId) => [workerId, gates.get(workerId) ?? { workerId, ...newcomer }]))
      for (const [workerId, { takesMore }] of gates) if (!takesMore) send(workerId, { kind: 'count' })
      settle()
    },
    heard(workerId, { connections, takesMore }) {
      if (asked === workerId) asked = null
      const gate = gates.get(workerId)
      if (!gate) return
      change(gate, { connections, takesMore, isSilent: false })
      settle()
    },
    close() {
      stopAsking()
      gates.clear()
    },
  }
}
