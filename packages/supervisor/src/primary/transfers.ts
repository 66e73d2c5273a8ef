import type { PrimaryMessage, WorkerMessage } from '../wire/messages.ts'

/** What the primary holds of a connection while it changes hands. */
export interface TransferHandle {
  close(): void
}

type Send = (workerId: number, message: PrimaryMessage, handle?: unknown, done?: () => void) => boolean

interface Transfer {
  readonly from: number
  readonly fromTransferId: number
  readonly owner: number
  readonly handle: TransferHandle | undefined
}

/** Connections on their way from the worker that accepted them to the one that owns their session. */
export interface Transfers {
  begin(from: number, message: Extract<WorkerMessage, { kind: 'handOver' }>, handle: TransferHandle | undefined): void
  settle(owner: number, transferId: number, taken: boolean): void
  /** It will answer nothing any more. */
  forget(workerId: number): void
}

export function createTransfers(send: Send): Transfers {
  const pending = new Map<number, Transfer>()
  /** By giver: each tells every transfer twice, in order, and numbers them upwards. */
  const lastOf = new Map<number, number>()
  let lastId = 0

  function end(id: number, taken: boolean): void {
    const transfer = pending.get(id)
    pending.delete(id)
    // An owner that dies takes with it what Node would have called when it had the handle; closing twice does nothing.
    transfer?.handle?.close()
    if (transfer) send(transfer.from, { kind: 'handedOver', transferId: transfer.fromTransferId, taken })
  }

  return {
    begin(from, { transferId, owner, server, head }, handle) {
      if (transferId <= (lastOf.get(from) ?? 0)) return
      lastOf.set(from, transferId)
      const id = ++lastId
      pending.set(id, { from, fromTransferId: transferId, owner, handle })
      // Whether or not it was sent, our copy is not needed any more; the giver keeps its own until it hears the outcome.
      const sent = handle !== undefined && send(owner, { kind: 'adopt', transferId: id, server, head }, handle, () => handle.close())
      if (!sent) end(id, false)
    },
    settle(owner, id, taken) {
      if (pending.get(id)?.owner === owner) end(id, taken)
    },
    forget(workerId) {
      lastOf.delete(workerId)
      for (const [id, transfer] of pending) {
        if (transfer.owner === workerId) end(id, false)
        else if (transfer.from === workerId) {
          pending.delete(id)
          transfer.handle?.close()
        }
      }
    },
  }
}
