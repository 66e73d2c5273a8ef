import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { io, type Socket } from 'socket.io-client'
import type { Stage } from '../../processes/harness.ts'
import type { Station } from '../../processes/harness/station.ts'
import { until } from '../../processes/harness/until.ts'

const entry = fileURLToPath(new URL('../fixtures/polling.mjs', import.meta.url))
/** A client that was told to leave in the middle of a question asks it again. */
const ANSWER_MS = 5000

export async function startPolling(stage: Stage, workers: number, max: number): Promise<{ station: Station; lines(): Promise<string[]> }> {
  const file = path.join(stage.folder, 'runs')
  const fleet = { min: workers, max, oversubscribe: true, spares: 0, bootTimeout: '20s' }
  const station = await stage.start({ entry, config: { workers: fleet }, env: { RUNS: file } }, workers)
  return { station, lines: async () => (await readFile(file, 'utf8').catch(() => '')).trimEnd().split('\n') }
}

/** Socket.IO clients over long polling that ask one question after another. */
export class Pollers {
  readonly sockets: Socket[]
  /** Which worker answered each of them last. */
  readonly workers: string[] = []
  readonly answered: number[]
  #stopping = false
  readonly #done: Promise<unknown>

  constructor(port: number, clients: number) {
    const options = { transports: ['polling'], forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 500 }
    this.sockets = Array.from({ length: clients }, () => io(`http://127.0.0.1:${port}`, options))
    this.answered = this.sockets.map(() => 0)
    this.#done = Promise.all(this.sockets.map((socket, index) => this.#ask(socket, index)))
  }

  /** Each of them has been answered so many times more. */
  async answers(more: number): Promise<void> {
    const goals = this.answered.map((count) => count + more)
    const missing = (): number => goals.filter((goal, index) => (this.answered[index] as number) < goal).length
    await until(`${more} answers to each`, () => missing() === 0, { boundMs: 40_000, instead: () => `${missing()} clients are not there yet` })
  }

  async stop(): Promise<void> {
    this.#stopping = true
    for (const socket of this.sockets) socket.disconnect()
    await this.#done
  }

  async #ask(socket: Socket, index: number): Promise<void> {
    for (let i = 0; !this.#stopping; i++) {
      const reply = (await socket
        .timeout(ANSWER_MS)
        .emitWithAck('echo', i)
        .catch(() => null)) as [string, number] | null
      if (reply?.[1] !== i) continue
      this.workers[index] = reply[0]
      this.answered[index] = (this.answered[index] as number) + 1
    }
  }
}
