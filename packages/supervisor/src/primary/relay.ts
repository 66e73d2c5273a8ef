import { serialize } from 'node:v8'

type Send = (message: unknown, ...rest: readonly unknown[]) => boolean

/** As much of node:cluster's worker as the adapter uses. */
export interface Receiver {
  send: unknown
}

/** More than a worker that is only busy is behind with. As much may wait for each that does not read, and the container has to hold it. */
export const MOST_WAITING_BYTES: number = 32 * 1024 * 1024
/** To weigh a message costs as much as to send it. A worker that reads is seldom further behind than this. */
const UNWEIGHED = 16
/** How Socket.IO's cluster adapter marks its messages. */
const ADAPTER = '_sio_adapter'

/**
 * Node keeps whatever a worker does not read, in the memory of this process. What Socket.IO's adapter relays to one that is stopped or blocked would
 * fill it, and a primary that is killed for its memory takes all workers along: so it is left out when too much waits, and `onFull` is told once.
 * Our own words are few; they are never left out.
 */
export function boundRelay(worker: Receiver, onFull: () => void): void {
  const send = (worker.send as Send).bind(worker)
  let waiting = 0
  let waitingBytes = 0
  let isTold = false
  const relay: Send = (message, ...rest) => {
    if (!isOfAdapter(message)) return send(message, ...rest)
    const bytes = waiting < UNWEIGHED ? 0 : weigh(message)
    if (waitingBytes + bytes > MOST_WAITING_BYTES) {
      if (!isTold) onFull()
      isTold = true
      return false
    }
    waiting++
    waitingBytes += bytes
    return send(message, null, () => {
      waiting--
      waitingBytes -= bytes
    })
  }
  worker.send = relay
}

function isOfAdapter(message: unknown): message is object {
  return typeof message === 'object' && message !== null && 'source' in message && message.source === ADAPTER
}

/** A broadcast is the same message for each worker. */
const weights = new WeakMap<object, number>()

function weigh(message: object): number {
  const bytes = weights.get(message) ?? serialize(message).length
  weights.set(message, bytes)
  return bytes
}
