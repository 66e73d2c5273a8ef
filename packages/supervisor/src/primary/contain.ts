import type { EventEmitter } from 'node:events'

type Method = (this: unknown, ...words: unknown[]) => unknown

/**
 * Node trusts what comes over a worker's channel: bytes that are no message, or a message that looks like one of Node's own but is not,
 * make it throw in this process, with nobody there to catch it. Here it is caught, and `onGarbage` is told of the first.
 */
export function containGarbage(workerProcess: EventEmitter, onGarbage: (error: unknown) => void): void {
  let isTold = false
  const tell = (error: unknown): void => {
    if (!isTold) onGarbage(error)
    isTold = true
  }
  contain(workerProcess, 'emit', (event) => event === 'internalMessage', tell)
  const key = Object.getOwnPropertySymbols(workerProcess).find(({ description }) => description === 'kChannelHandle')
  const channel: unknown = key && Reflect.get(workerProcess, key)
  if (typeof channel === 'object' && channel !== null) contain(channel, 'onread', () => true, tell)
}

function contain(target: object, name: string, concerns: (first: unknown) => boolean, onGarbage: (error: unknown) => void): void {
  const original: unknown = Reflect.get(target, name)
  if (typeof original !== 'function') return
  const contained: Method = function (...words) {
    try {
      return Reflect.apply(original, this, words) as unknown
    } catch (error) {
      if (!concerns(words[0])) throw error
      onGarbage(error)
      return undefined
    }
  }
  Reflect.set(target, name, contained)
}
