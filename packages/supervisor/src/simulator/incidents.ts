import type { Agenda } from './agenda.ts'
import type { Fault, OperatorRequest, Scenario } from './scenario.ts'

/** What goes wrong in a scenario and what operators ask for, until it is over. */
export class Incidents {
  /** The whole scenario; its faults and requests are gone once they are over. */
  readonly scenario: Scenario
  areOver = false
  readonly #faults: Fault[]
  readonly #requests: OperatorRequest[]

  constructor(scenario: Scenario) {
    this.#faults = [...scenario.faults]
    this.#requests = [...scenario.requests]
    this.scenario = { ...scenario, faults: this.#faults, requests: this.#requests }
  }

  /** Each at its time, where it is not over by then. */
  plan(agenda: Agenda, fromMs: number, { ask, strike }: { ask(request: OperatorRequest): void; strike(fault: Fault): void }): void {
    for (const request of this.#requests) if (request.atMs >= fromMs) agenda.at(request.atMs, () => this.#requests.includes(request) && ask(request))
    for (const fault of this.#faults) if (fault.atMs >= fromMs) agenda.at(fault.atMs, () => this.#faults.includes(fault) && strike(fault))
  }

  end(): void {
    this.areOver = true
    this.#faults.length = 0
    this.#requests.length = 0
  }
}
