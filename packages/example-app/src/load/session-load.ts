import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, reasonOf, send, workerOf } from './http-client.ts'
import { loopbackUrl, maxClients, maxSeconds, within } from './limits.ts'
import { type Stats, Tally } from './tally.ts'

export type SessionLoadOptions = {
  readonly url: string
  readonly clients: number
  /** Pause between a client's questions. */
  readonly everyMs: number
  readonly timeoutMs?: number
  readonly seconds?: number
}

export type SessionStats = Stats & {
  readonly loggedIn: number
  /** Answers that did not know the client any more, or took it for another: there should never be one. */
  readonly lostSessions: number
}

export type SessionLoad = { stats(): SessionStats; stop(): Promise<SessionStats> }

/** Clients that log in once, keep their cookie, and then ask `/me` who they are. */
export function startSessionLoad(options: SessionLoadOptions): SessionLoad {
  const base = loopbackUrl(options.url)
  const clients = within('clients', options.clients, 1, maxClients)
  const seconds = within('seconds', options.seconds ?? maxSeconds, 0, maxSeconds)
  const timeoutMs = options.timeoutMs ?? 30_000
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const tally = new Tally()
  const ending = new AbortController()
  let loggedIn = 0
  let lostSessions = 0

  /** An answer below 500, or null after counting why there is none. */
  const ask = async (cookies: CookieJar, path: string, body?: object): Promise<Answer | null> => {
    tally.sent()
    const startedAt = performance.now()
    const method = body ? 'POST' : 'GET'
    try {
      const headers = cookies.header()
      const answer = await send({ agent, url: new URL(path, base), method, headers, timeoutMs, ...(body && { body }) })
      cookies.read(answer)
      if (answer.status >= 500) throw new Error(String(answer.status))
      tally.ok(performance.now() - startedAt, workerOf(answer.headers))
      return answer
    } catch (error) {
      tally.failed(reasonOf(error))
      return null
    }
  }
  const client = async (index: number): Promise<void> => {
    const name = `user ${index}`
    const cookies = new CookieJar()
    let known = false
    while (!ending.signal.aborted) {
      if (known) {
        const answer = await ask(cookies, '/me')
        if (answer && !answer.body.includes(`"${name}"`)) lostSessions++
      } else {
        known = (await ask(cookies, '/login', { name }))?.status === 200
        if (known) loggedIn++
      }
      await sleep(options.everyMs, undefined, { signal: ending.signal }).catch(() => {})
    }
  }
  const all = Promise.all(Array.from({ length: clients }, (_, index) => client(index)))
  const limit = setTimeout(() => ending.abort(), seconds * 1_000)
  const stats = (): SessionStats => ({ ...tally.stats(), loggedIn, lostSessions })
  return {
    stats,
    stop: async () => {
      clearTimeout(limit)
      ending.abort()
      await all
      agent.destroy()
      return stats()
    },
  }
}

/** Names and values only: there is one server, and nobody sets attributes that matter here. */
class CookieJar {
  readonly #cookies = new Map<string, string>()

  read(answer: Answer): void {
    for (const cookie of answer.headers['set-cookie'] ?? []) {
      const match = /^([^=;]+)=([^;]*)/.exec(cookie)
      if (match?.[1] !== undefined && match[2] !== undefined) this.#cookies.set(match[1], match[2])
    }
  }

  header(): Record<string, string> {
    const pairs = [...this.#cookies].map(([name, value]) => `${name}=${value}`)
    return pairs.length === 0 ? {} : { Cookie: pairs.join('; ') }
  }
}
