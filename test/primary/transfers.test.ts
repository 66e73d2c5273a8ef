import { expect, test } from 'vitest'
import { createTransfers, type TransferHandle } from '../../packages/supervisor/src/primary/transfers.ts'

const GIVER = 1
const OWNER = 2

class Handle implements TransferHandle {
  closes = 0
  close(): void {
    this.closes++
  }
}

/** What the primary told whom; messages to an owner that is gone are not sent. */
function open({ isOwnerThere = true } = {}) {
  const told: unknown[] = []
  const transfers = createTransfers((workerId, message) => {
    if (workerId === OWNER && !isOwnerThere) return false
    told.push([workerId, message.kind, 'taken' in message ? message.taken : undefined])
    return true // and Node never says that it was sent
  })
  const handle = new Handle()
  transfers.begin(GIVER, { kind: 'handOver', transferId: 1, owner: OWNER, server: 0, head: '' }, handle)
  return { transfers, told, handle }
}

const OFFERED = [OWNER, 'adopt', undefined]
const told = (taken: boolean): unknown[] => [GIVER, 'handedOver', taken]

test('the copy of the primary is kept until the owner has answered', () => {
  const { transfers, told: all, handle } = open()
  expect(handle.closes).toBe(0)
  transfers.settle(OWNER, 1, true)
  expect([all, handle.closes]).toEqual([[OFFERED, told(true)], 1])
})

test('it is closed when the owner ends without an answer, and the giver goes on', () => {
  const { transfers, told: all, handle } = open()
  transfers.forget(OWNER)
  expect([all, handle.closes]).toEqual([[OFFERED, told(false)], 1])
})

test('it is closed when the giver ends, to whom there is nothing to say', () => {
  const { transfers, told: all, handle } = open()
  transfers.forget(GIVER)
  expect([all, handle.closes]).toEqual([[OFFERED], 1])
})

test('it is closed when there is no owner to send it to', () => {
  const { told: all, handle } = open({ isOwnerThere: false })
  expect([all, handle.closes]).toEqual([[told(false)], 1])
})
