import { describe, expect, test } from 'vitest'
import { boundRelay, MOST_WAITING_BYTES } from '../../packages/supervisor/src/primary/relay.ts'

const SIZE = 1_000_000
/** Those that are passed on unweighed come on top. */
const MOST = Math.floor(MOST_WAITING_BYTES / SIZE) + 16

/** A worker that reads only when it is told to. */
class SlowWorker {
  readonly sent: unknown[] = []
  readonly #waiting: (() => void)[] = []

  send(message: unknown, _handle?: unknown, done?: () => void): boolean {
    this.sent.push(message)
    if (done) this.#waiting.push(done)
    return true
  }

  read(): void {
    for (const done of this.#waiting.splice(0)) done()
  }
}

function bounded(): { readonly worker: SlowWorker; readonly told: () => number } {
  const worker = new SlowWorker()
  let told = 0
  boundRelay(worker, () => told++)
  return { worker, told: () => told }
}

const broadcast = (): object => ({ source: '_sio_adapter', data: 'x'.repeat(SIZE) })

describe('what Socket.IO says to a worker that does not read', () => {
  test('waits up to a bound; what is more is left out, which is told once', () => {
    const { worker, told } = bounded()
    for (let i = 0; i < MOST; i++) worker.send(broadcast())
    expect([worker.sent.length, told()]).toEqual([MOST, 0])
    for (let i = 0; i < 100; i++) worker.send(broadcast())
    expect([worker.sent.length, told()]).toEqual([MOST, 1])
  })

  test('is passed on again once it has read', () => {
    const { worker, told } = bounded()
    for (let i = 0; i < MOST + 1; i++) worker.send(broadcast())
    worker.read()
    for (let i = 0; i < MOST + 1; i++) worker.send(broadcast())
    expect([worker.sent.length, told()]).toEqual([2 * MOST, 1])
  })

  test('keeps nothing else from it, whatever waits', () => {
    const { worker } = bounded()
    for (let i = 0; i < MOST + 1; i++) worker.send(broadcast())
    const others = ['sticky:connection', { ns: 'stationmaster' }, { source: 'another', data: 'x'.repeat(SIZE) }, null]
    for (const other of others) worker.send(other)
    expect(worker.sent.slice(MOST)).toEqual(others)
  })
})
