import http from 'node:http'
import { randomBytes } from 'node:crypto'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { within } from '../processes/harness/until.ts'
import { ask } from './harness/ask.ts'
import { startPolling } from './harness/pollers.ts'

const WORKERS = 4
const CLIENTS = 16
const REQUESTS_EACH = 100
const UNKNOWN = '{"code":1,"message":"Session ID unknown"}'

/** Ids that would all aim at worker 1, if an owner's name alone were believed. */
const forged: readonly ((real: string) => string)[] = [
  () => `1-${randomBytes(23).toString('base64url')}`,
  (real) => `1${real.slice(real.indexOf('-'))}`.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
  (real) => real.slice(0, -1),
  (real) => `${real}A`,
  (real) => `1-${real}`,
  () => '1-',
  () => '1',
  () => '__proto__',
  () => '../1.sock',
  () => `1-${'a'.repeat(8000)}`,
  () => '1-\u{1f600}',
]

describe('session ids that were made up', () => {
  it('aim at nobody: whoever accepted the connection answers, at once', async ({ stage }) => {
    const { station, lines } = await startPolling(stage, WORKERS, WORKERS)
    const { port } = station
    const opened = await ask({ port, path: '/socket.io/?EIO=4&transport=polling' })
    const { sid } = JSON.parse(opened.body.toString().slice(1)) as { sid: string }
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      for (let i = 0; i < REQUESTS_EACH; i++) {
        const id = (forged[(client + i) % forged.length] as (real: string) => string)(sid)
        const { status, body } = await ask({ port, path: `/socket.io/?EIO=4&transport=polling&sid=${encodeURIComponent(id)}`, agent })
        expect([id, status, body.toString()]).toEqual([id, 400, UNKNOWN])
      }
      agent.destroy()
    })
    await within('all answers', Promise.all(clients), { boundMs: 50_000 })
    // A worker's share of the answers is its share of the connections, to the last one.
    const acceptors = new Map<string, string>()
    const answers: { acceptor: string | undefined; worker: string }[] = []
    for (const line of await lines()) {
      const [worker = '', what, first = '', second = ''] = line.split(' ')
      if (what === 'connection') acceptors.set(first, worker)
      if (what === 'error') answers.push({ acceptor: acceptors.get(second), worker })
    }
    expect(answers).toHaveLength(CLIENTS * REQUESTS_EACH)
    expect(answers.filter(({ acceptor, worker }) => acceptor !== worker)).toEqual([])
    expect(new Set(answers.map(({ worker }) => worker)).size).toBeGreaterThan(1)
  })
})
