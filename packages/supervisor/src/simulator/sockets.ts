import type { SocketModel } from './scenario.ts'

/** A worker that drains asks its clients to leave within this. */
const LEAVE_MS = 10_000

/** Connections of one worker that stay open, such as WebSockets: clients come with a request, stay a while, and need memory and some time on the loop. */
export class VirtualSockets {
  readonly #model: SocketModel
  #open = 0
  /** Parts of a socket that are due and have not come to a whole one. */
  #opening = 0
  #ending = 0
  /** How many there were when the worker began to drain. */
  #leaving: number | null = null

  constructor(model: SocketModel) {
    this.#model = model
  }

  get open(): number {
    return this.#open
  }

  get memoryBytes(): number {
    return this.#open * this.#model.memoryBytes
  }

  /** What they need of the loop in so much time. */
  wantsMs(sliceMs: number): number {
    return (this.#open * this.#model.cpuMsPerSecond * sliceMs) / 1000
  }

  /** So many requests were answered, and some of those who asked stay. */
  greet(requests: number): void {
    this.#opening += requests * this.#model.perRequest
    const whole = Math.floor(this.#opening)
    this.#opening -= whole
    this.#open += whole
  }

  /** Some time has passed. Answers how many clients were asked to leave, and will come back somewhere else. */
  pass(sliceMs: number, isDraining: boolean): number {
    if (!isDraining) {
      this.#end((this.#open * sliceMs) / this.#model.staysMs)
      return 0
    }
    this.#leaving ??= this.#open
    return this.#end(Math.max(1, (this.#leaving * sliceMs) / LEAVE_MS))
  }

  #end(sockets: number): number {
    this.#ending += sockets
    const whole = Math.min(this.#open, Math.floor(this.#ending))
    this.#ending -= Math.floor(this.#ending)
    this.#open -= whole
    return whole
  }
}
