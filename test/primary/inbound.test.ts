import { expect, test } from 'vitest'
import { createInbound } from '../../packages/supervisor/src/primary/inbound.ts'
import { createInbox } from '../../packages/supervisor/src/primary/reports.ts'
import { seal } from '../../packages/supervisor/src/wire/envelope.ts'

const report = {
  intervalMs: 1000,
  eventLoopUtilization: 0.1,
  eventLoopDelayP99Ms: 1,
  queue: 0,
  requests: 0,
  connections: 0,
  sockets: 0,
  latencies: [],
  queueTimes: [],
  database: null,
  signals: {},
}

test('what a worker said before it went, but was heard only after, is remembered nowhere', async () => {
  const present = new Set([1])
  const inbox = createInbox()
  const answered = Promise.withResolvers<void>()
  const inbound = createInbound({
    readyWhen: 'listening',
    entry: '/app.js',
    acceptor: {
      open: async () => ({ handle: null, error: { code: 'EADDRINUSE', errno: -98, message: 'It is in use.' } }),
      addresses: () => [],
      close() {},
    },
    inbox,
    gatekeeper: null,
    transfers: { begin() {}, settle() {}, forget() {} },
    dispatch() {},
    answerListen: () => answered.resolve(),
    processes: { pid: (workerId) => (present.has(workerId) ? 1 : null), sendToOthers() {} },
    warn() {},
  })
  inbound.receive(1, seal({ kind: 'report', report }), undefined)
  expect(inbox.take(1)).toEqual(report)

  const listen = { kind: 'listen', requestId: 1, port: 80, host: null, path: null, fd: null, ipv6Only: false, turn: 0, isDealt: false }
  inbound.receive(1, seal(listen), undefined)
  present.delete(1)
  inbound.forget(1)
  await answered.promise
  inbound.receive(1, seal({ kind: 'report', report }), undefined)
  expect(inbox.take(1)).toBeNull()
  expect(await inbound.listenFault(1)).toBeNull()
})
