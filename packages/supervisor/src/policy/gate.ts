/**
 * Workers that accept from one socket race for connections, and long-lived ones gather on the quickest. So a worker that holds more than
 * the emptiest, and some slack, shuts its gate until the others have caught up.
 */
export interface Gate {
  readonly workerId: number
  readonly connections: number
  /** It takes connections when its gate is open: it has a socket, and descriptors to spare. */
  readonly takesMore: boolean
  /** It did not answer when it was asked: nobody must wait for it. */
  readonly isSilent: boolean
  readonly isOpen: boolean
}

/** Short-lived connections come and go by so many; shutting gates for them would cost more than it gives. */
const SLACK_CONNECTIONS = 8
const SLACK_RATIO = 0.06
/** A gate opens again when only this part of the slack is left, so that it does not open and shut at each connection. */
const REOPEN_PART = 0.5

/** The gates that have to move. At least one worker that answers and takes more is always open, unless there is none. */
export function chooseGates(gates: readonly Gate[]): { readonly workerId: number; readonly open: boolean }[] {
  const emptiest = emptiestOf(gates)
  const slack = Math.max(SLACK_CONNECTIONS, meanOf(gates) * SLACK_RATIO)
  const moves = []
  for (const { workerId, connections, isOpen } of gates) {
    const surplus = emptiest === null ? 0 : connections - emptiest.connections
    const open = surplus <= (isOpen ? slack : slack * REOPEN_PART)
    if (open !== isOpen) moves.push({ workerId, open })
  }
  return moves
}

/** The one that everybody waits for while gates are shut. */
export function emptiestOf(gates: readonly Gate[]): Gate | null {
  let emptiest: Gate | null = null
  for (const gate of gates) {
    if (gate.takesMore && !gate.isSilent && (emptiest === null || gate.connections < emptiest.connections)) emptiest = gate
  }
  return emptiest
}

function meanOf(gates: readonly Gate[]): number {
  return gates.reduce((sum, { connections }) => sum + connections, 0) / Math.max(1, gates.length)
}
