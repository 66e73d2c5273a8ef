// A load generator, a process of its own: `node generate.ts '<LoadOrder as JSON>'`, with an IPC channel for its report.
import { Client } from './client.ts'
import type { LoadMessage, LoadOrder } from './messages.ts'

/** No server here takes that long for an honest answer. */
const ANSWER_LIMIT_MS = 10_000
const CHECK_EVERY_MS = 50
const LAST_ANSWERS_MS = 5000

const order = JSON.parse(process.argv[2] ?? '') as LoadOrder
let requests = 0
let failures: Record<string, number> = {}
let begunAtMs = performance.now()
let cpuBefore = process.cpuUsage()
let toldToStop = false
let stopping = false
let turn = 0
let newcomerSeen = false

const inspect = order.knownPids.length > 0 ? lookForNewcomer : null
const outside = { request: requestText(), isStopping: () => stopping, nextAddress, answered, inspect, failed }
const clients = Array.from({ length: order.connections }, () => new Client(outside))
process.on('message', () => {
  toldToStop = true
})
process.on('disconnect', () => process.exit(0))
for (const client of clients) client.begin()
setTimeout(beginCounting, order.warmUpMs)

function requestText(): string {
  return `GET ${order.path} HTTP/1.1\r\nHost: bench\r\n${order.keepAlive ? '' : 'Connection: close\r\n'}\r\n`
}

function nextAddress(): { readonly host: string; readonly port: number } {
  turn = (turn + 1) % order.hosts.length
  return { host: order.hosts[turn] as string, port: order.port }
}

function answered(): void {
  requests++
}

function lookForNewcomer(answer: Buffer): void {
  const pid = Number(/pid (\d+)/.exec(answer.toString('latin1'))?.[1])
  if (newcomerSeen || order.knownPids.includes(pid)) return
  newcomerSeen = true
  tell({ kind: 'newcomer', afterMs: performance.now() - begunAtMs })
}

function failed(how: string): void {
  failures[how] = (failures[how] ?? 0) + 1
}

function beginCounting(): void {
  // A load that must lose nothing has no warm-up, and is counted from its first request.
  if (order.warmUpMs > 0) {
    requests = 0
    failures = {}
    begunAtMs = performance.now()
    cpuBefore = process.cpuUsage()
  }
  tell({ kind: 'begun' })
  const check = setInterval(() => {
    for (const client of clients) client.expire(ANSWER_LIMIT_MS, 'no answer in 10 s')
    const isOver = performance.now() - begunAtMs >= order.durationMs
    if (!isOver && !(toldToStop && requests >= order.minRequests)) return
    clearInterval(check)
    finish()
  }, CHECK_EVERY_MS)
}

function finish(): void {
  const elapsedMs = performance.now() - begunAtMs
  const cpu = process.cpuUsage(cpuBefore)
  stopping = true
  const countedRequests = requests
  const stoppedAtMs = performance.now()
  const check = setInterval(() => {
    const isOver = performance.now() - stoppedAtMs > LAST_ANSWERS_MS
    if (isOver) for (const client of clients) client.expire(0, 'no answer at the end')
    if (clients.some((client) => client.isWaiting)) return
    clearInterval(check)
    for (const client of clients) client.close()
    tell({ kind: 'report', requests: countedRequests, elapsedMs, failures, cpuMs: (cpu.user + cpu.system) / 1000 })
    process.disconnect()
  }, CHECK_EVERY_MS)
}

function tell(message: LoadMessage): void {
  process.send?.(message)
}
