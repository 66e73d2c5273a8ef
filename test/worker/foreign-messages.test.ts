import { describe, expect } from 'vitest'
import { get, it, start } from './harness.ts'

const nonsense: readonly unknown[] = [
  0,
  'ready',
  [],
  { ns: 'socket.io', data: { kind: 'drain', timeoutMs: 0, patient: false } },
  { kind: 'drain', timeoutMs: 0, patient: false },
  JSON.parse('{"__proto__":{"ns":"stationmaster","v":1,"body":{"kind":"promote"}}}'),
]
const malformed: readonly object[] = [
  { ns: 'stationmaster', v: 1 },
  { ns: 'stationmaster', v: 2, body: { kind: 'drain', timeoutMs: 0, patient: false } },
  { ns: 'stationmaster', v: 1, body: { kind: 'drain', timeoutMs: 'now', patient: false } },
  { ns: 'stationmaster', v: 1, body: { kind: 'explode' } },
  { ns: 'stationmaster', v: 1, body: { kind: 'socket', requestId: 99, error: null } }, // well-formed, but nobody has asked
]

describe('messages that are not ours', () => {
  it('go to the app, and ours do not', async ({ primary }) => {
    const worker = await start(primary, 'speaks-otherwise.mjs')
    for (const message of nonsense) worker.worker.send(message as object)
    worker.send({ kind: 'shed', connections: 1, lastingMs: null })
    worker.worker.send('the last')
    await worker.until(() => worker.foreign.some((message) => heard(message) === 'the last'), 'the last message')
    expect(worker.foreign.map(heard).filter((message) => message !== undefined)).toEqual([...nonsense, 'the last'])
    expect(worker.stderr).toBe('')
  })

  it('from the app reach the primary as what they are', async ({ primary }) => {
    const worker = await start(primary, 'speaks-otherwise.mjs')
    await worker.until(() => worker.foreign.length === 6, 'six messages')
    expect(worker.foreign).toEqual([null, 0, 'text', [], { ns: 'stationmaster', v: 1, body: { kind: 'drained' } }, { ns: 'other' }])
    expect(worker.all('drained')).toEqual([])
  })
})

describe('messages that only look like ours', () => {
  it('are named on stderr and change nothing', async ({ primary }) => {
    const worker = await start(primary, 'speaks-otherwise.mjs')
    for (const message of malformed) worker.worker.send(message)
    worker.worker.send('the last')
    await worker.until(() => worker.foreign.some((message) => heard(message) === 'the last'), 'the last message')
    await worker.until(() => worker.stderr.split('\n').length > 4, 'four complaints')
    expect(worker.stderr.match(/not understood \(([^)]*)\)/g)).toEqual([
      'not understood (not an object)',
      'not understood (another version of the protocol)',
      'not understood (timeoutMs)',
      'not understood (kind)',
    ])
    expect((await get(primary.port)).body).toBe('ok')
  })
})

function heard(message: unknown): unknown {
  return (message as { heard?: unknown } | null)?.heard
}
