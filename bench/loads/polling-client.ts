import http from 'node:http'

export interface PollingOutside {
  readonly port: number
  readonly isOver: () => boolean
  acknowledged(): void
  disconnected(how: string, sid: string): void
}

/** Answers a poll for which there is no news, such as before a goodbye. */
const NOTHING = '6'
/** Of a session that the server has ended in the orderly way. */
export const TOLD_TO_LEAVE = 'told to leave'

/**
 * A Socket.IO client over long polling, with the two connections that a browser uses. The packaged client costs ten times as much
 * for each request as the servers do, so that its own limits would be measured.
 */
export class PollingClient {
  readonly #outside: PollingOutside
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 2 })
  #path = '/socket.io/?EIO=4&transport=polling'
  #sid = ''
  #saidId = 0
  #hasEnded = false

  constructor(outside: PollingOutside) {
    this.#outside = outside
  }

  /** Resolves when the session has ended, or it is over. */
  async run(): Promise<void> {
    try {
      const opened = await this.#send('GET')
      this.#sid = (JSON.parse(opened.slice(1)) as { sid: string }).sid
      this.#path += `&sid=${this.#sid}`
      await this.#send('POST', '40')
      while (!this.#outside.isOver() && !this.#hasEnded) for (const packet of (await this.#send('GET')).split('\u001e')) this.#receive(packet)
    } catch (error) {
      this.#end(error)
    } finally {
      this.#hasEnded = true
      this.#agent.destroy()
    }
  }

  /** Whichever of its requests failed first; the others end with it. */
  #end(error: unknown): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    if (!this.#outside.isOver()) this.#outside.disconnected(String(error), this.#sid)
    this.#agent.destroy()
  }

  #receive(packet: string): void {
    if (packet === '2') this.#post('3')
    else if (packet.startsWith('40')) this.#say()
    else if (packet === `43${this.#saidId}[]`) {
      this.#outside.acknowledged()
      this.#say()
    } else if (packet === '1' || packet === '41') throw new Error(TOLD_TO_LEAVE)
    else if (packet !== NOTHING) throw new Error(`an unexpected packet: ${packet.slice(0, 100)}`)
  }

  #say(): void {
    this.#saidId++
    this.#post(`42${this.#saidId}["say","something"]`)
  }

  #post(packet: string): void {
    this.#send('POST', packet).catch((error: unknown) => this.#end(error))
  }

  #send(method: 'GET' | 'POST', body = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = method === 'POST' ? { 'content-type': 'text/plain;charset=UTF-8', 'content-length': Buffer.byteLength(body) } : {}
      const request = http.request(
        { host: '127.0.0.1', port: this.#outside.port, path: this.#path, method, headers, agent: this.#agent },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk
          })
          response.once('error', reject)
          response.once('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}: ${text}`))))
        },
      )
      request.once('error', reject)
      request.end(body)
    })
  }
}
