import { EventEmitter, once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { createGatekeeper, type Gatekeeper } from '../../packages/supervisor/src/primary/gatekeeper.ts'

interface Seen {
  readonly keeper: Gatekeeper
  readonly gates: Map<number, boolean>
  readonly counted: number[]
  /** Resolves at the next message to this worker. */
  next(workerId: number): Promise<unknown>
}

function open(askMs: number, answers: (workerId: number, keeper: Gatekeeper) => void = () => {}): Seen {
  const gates = new Map<number, boolean>()
  const counted: number[] = []
  const mail = new EventEmitter()
  const keeper = createGatekeeper((workerId, message) => {
    if (message.kind === 'gate') gates.set(workerId, message.open)
    else counted.push(workerId)
    if (message.kind === 'count') queueMicrotask(() => answers(workerId, keeper))
    mail.emit(String(workerId), message)
  }, askMs)
  onTestFinished(() => keeper.close())
  return { keeper, gates, counted, next: async (workerId) => (await once(mail, String(workerId)))[0] }
}

const has = (connections: number) => ({ connections, takesMore: true })

test('who begins to take clients is asked what it has, and a full worker waits for an empty one', () => {
  const { keeper, gates, counted } = open(10_000)
  keeper.admit([1, 2])
  expect(counted).toEqual([1, 2])
  keeper.heard(1, has(50))
  expect(gates.size).toBe(0)
  keeper.heard(2, has(10))
  expect(gates).toEqual(new Map([[1, false]]))
  keeper.heard(2, has(46))
  expect(gates).toEqual(new Map([[1, true]]))
})

test('when the one that all wait for does not answer, the others open; when it is heard again, they wait again', async () => {
  const { keeper, gates, next } = open(1)
  keeper.admit([1, 2])
  keeper.heard(1, has(50))
  keeper.heard(2, has(10))
  expect(gates.get(1)).toBe(false)
  expect(await next(1)).toEqual({ kind: 'gate', open: true })
  keeper.heard(2, has(10))
  expect(gates.get(1)).toBe(false)
})

test('while the emptiest answers, the others go on waiting, and it is asked again and again', async () => {
  const { keeper, gates, counted, next } = open(1, (workerId, keeper) => workerId === 2 && keeper.heard(2, has(10)))
  keeper.admit([1, 2])
  keeper.heard(1, has(50))
  for (let asked = 0; asked < 5; asked++) await next(2)
  expect(gates).toEqual(new Map([[1, false]]))
  expect(counted.filter((workerId) => workerId === 2).length).toBeGreaterThanOrEqual(5)
})

test('who is not admitted any more counts no more', () => {
  const { keeper, gates } = open(10_000)
  keeper.admit([1, 2])
  keeper.heard(1, has(50))
  keeper.heard(2, has(10))
  keeper.admit([1])
  expect(gates.get(1)).toBe(true)
  keeper.heard(2, has(0))
  expect(gates.get(1)).toBe(true)
})
