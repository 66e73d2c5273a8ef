import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { it } from '../processes/harness.ts'
import { within } from '../processes/harness/until.ts'
import { cert } from '../worker/fixtures/certificate.ts'

// It has two Socket.IO servers, and each ends after a second what it does not know and nobody has answered.
const entry = fileURLToPath(new URL('./fixtures/rooms.mjs', import.meta.url))
const config = {
  workers: { min: 2, max: 2, oversubscribe: true, spares: 0, bootTimeout: '20s' },
  health: { stuckAfter: '60s' },
}

describe('an upgrade whose owner takes longer than other listeners of the app wait', () => {
  for (const [how, { get }, scheme, env] of [
    ['handed over', http, '', {}],
    ['carried byte by byte', https, 's', { TLS: '1' }],
  ] as const) {
    it(`reaches it all the same, ${how}`, async ({ stage }) => {
      const station = await stage.start({ entry, config, env }, 2)
      const client = { ca: cert, servername: 'localhost' }
      const path = '/socket.io/?EIO=4&transport='
      const opening = get({ ...client, host: '127.0.0.1', port: station.port, path: `${path}polling`, agent: false })
      const [response] = (await within('a session', once(opening, 'response'))) as [http.IncomingMessage]
      const { sid } = JSON.parse(
        Buffer.concat(await response.toArray())
          .toString()
          .slice(1),
      ) as { sid: string }
      const owner = Number.parseInt(sid, 36)
      const { workers, uptimeS } = await station.until('the status', (status) => status)
      const pid = workers.find(({ id }) => id === owner)?.pid as number
      // The other one accepts: nobody else can.
      process.kill(pid, 'SIGSTOP')
      const socket = new WebSocket(`ws${scheme}://127.0.0.1:${station.port}${path}websocket&sid=${sid}`, client as ClientOptions)
      const opened = once(socket, 'open')
      opened.catch(() => {})
      try {
        await station.until('all others have given up', (status) => status.uptimeS > uptimeS + 3)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      await within('the upgrade', opened)
      socket.send('2probe')
      const [answer] = (await within('an answer', once(socket, 'message'))) as [Buffer]
      expect(answer.toString()).toBe('3probe')
      socket.terminate()
    })
  }
})
