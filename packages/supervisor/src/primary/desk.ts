import type { StationmasterError } from '../errors.ts'

/** Requests of operators that wait for the fleet's answer. */
export interface Desk {
  /** Sends a request on its way; settles with the answer: one sentence, or a StationmasterError. */
  ask(send: (requestId: number) => void): Promise<string>
  answer(requestId: number, error: StationmasterError | null, detail: string): void
}

export function createDesk(): Desk {
  const waiting = new Map<number, PromiseWithResolvers<string>>()
  let lastRequestId = 0
  return {
    ask(send) {
      const requestId = ++lastRequestId
      const request = Promise.withResolvers<string>()
      waiting.set(requestId, request)
      send(requestId)
      return request.promise
    },
    answer(requestId, error, detail) {
      const request = waiting.get(requestId)
      waiting.delete(requestId)
      if (error) request?.reject(error)
      else request?.resolve(detail)
    },
  }
}
