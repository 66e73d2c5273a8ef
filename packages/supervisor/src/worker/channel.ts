import type { PrimaryMessage, WorkerMessage } from '../wire/messages.ts'
import { seal } from '../wire/envelope.ts'
import { parsePrimaryMessage } from '../wire/parse.ts'
import { complain } from './complain.ts'
import type { CountedChannel } from './internals.ts'

/** Our part of the IPC channel that we share with the app. */
export interface Channel {
  /** Sends if the channel is open. `done` is called when the message was handed to the kernel, or could not be. */
  send(message: WorkerMessage, done?: () => void): void
  /**
   * Sends with a handle, which the primary then has a copy of. `onFailed` is called if it could not be sent. The message comes twice, the second time
   * without it: a process at its limit of descriptors cannot receive one, and Node then drops the message too.
   */
  sendHandle(message: WorkerMessage, handle: object, onFailed: () => void): void
  /** Looks at an incoming message; true if it was ours. */
  receive(raw: unknown, handle: unknown): boolean
  /** Keeps the process alive until `release()`: an answer is due. */
  hold(): void
  release(): void
}

export type Receiver = (message: PrimaryMessage, handle: unknown) => void

type Send = (message: unknown, handle: object | undefined, options: object, done: (error: Error | null) => void) => boolean

export function createChannel(receiver: Receiver): Channel {
  const send = process.send as Send | undefined
  const sendAny = (message: WorkerMessage, handle: object | undefined, done: (wasSent: boolean) => void): void => {
    try {
      if (send && process.connected) send.call(process, seal(message), handle, {}, (error) => done(!error))
      else done(false)
    } catch {
      done(false) // the channel closed just now; the disconnect event tells what is to be done
    }
  }
  return {
    send: (message, done = () => {}) => sendAny(message, undefined, () => done()),
    sendHandle: (message, handle, onFailed) => {
      sendAny(message, handle, (wasSent) => {
        if (!wasSent) onFailed()
      })
      sendAny(message, undefined, () => {})
    },
    receive: (raw, handle) => receive(raw, handle, receiver),
    hold: () => countedChannel()?.refCounted(),
    release: () => countedChannel()?.unrefCounted(),
  }
}

function receive(raw: unknown, handle: unknown, receiver: Receiver): boolean {
  const parsed = parsePrimaryMessage(raw)
  if (parsed.kind === 'foreign') return false
  if (parsed.kind === 'message') receiver(parsed.message, handle)
  else complain(`a message from the primary was not understood (${parsed.why}). Do all parts of stationmaster have one version?`)
  return true
}

/** Null once the channel is closed. */
function countedChannel(): CountedChannel | null {
  return (process.channel as unknown as CountedChannel | null | undefined) ?? null
}

/**
 * Makes the channel as light as in a process that nobody supervises: every listener for `message` and `disconnect`, node:cluster's and
 * ours, holds it open, and an app that has nothing left to do must be able to end.
 */
export function letTheProcessEnd(): void {
  const listeners = process.listenerCount('message') + process.listenerCount('disconnect')
  for (let held = listeners; held > 0; held--) countedChannel()?.unrefCounted()
}

/** Notices PM2's way to say "ready". The message goes out all the same. */
export function onReadySent(callback: () => void): void {
  const send = process.send as (...args: unknown[]) => boolean
  process.send = function (this: unknown, ...args: unknown[]) {
    if (args[0] === 'ready') callback()
    return Reflect.apply(send, this, args)
  } as NonNullable<typeof process.send>
}
