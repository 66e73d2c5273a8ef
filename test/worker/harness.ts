import http from 'node:http'
import net from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { MiniPrimary } from './mini-primary.ts'
import type { MiniWorker } from './mini-primary.ts'

/** A test with a primary of its own, whose workers and sockets are gone when the test is over. */
export const it = test.extend<{ primary: MiniPrimary }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  primary: async ({}, use) => {
    const primary = new MiniPrimary()
    await use(primary)
    await primary.end()
  },
})

/** A worker that listens. */
export async function start(primary: MiniPrimary, fixture: string, env: Record<string, string> = {}): Promise<MiniWorker> {
  const worker = primary.fork(fixture, env)
  await worker.seen('listening')
  return worker
}

export const NOTHING_CUT = { cutConnections: 0, cutRequests: 0 }

/** What a drain had to cut; the worker has exited with 0. */
export async function drained(worker: MiniWorker): Promise<{ readonly cutConnections: number; readonly cutRequests: number }> {
  const { cutConnections, cutRequests } = await worker.seen('drained')
  expect(await worker.exited).toEqual({ code: 0, signal: null })
  return { cutConnections, cutRequests }
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** One request, on a connection of its own unless an agent says otherwise. */
export async function get(port: number, path = '/', options: http.RequestOptions = {}): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent: false, ...options }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      response.on('error', reject)
    })
    request.on('error', reject)
  })
}

/** A client that says exactly what it is told to, and keeps what it hears. */
export class RawClient {
  readonly socket: net.Socket
  heard = ''
  readonly closed: Promise<unknown>

  constructor(port: number, options: { readonly allowHalfOpen?: boolean } = {}) {
    this.socket = net.connect({ port, host: '127.0.0.1', ...options })
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.heard += text
    })
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => this.socket.on('close', resolve))
  }

  say(text: string): void {
    this.socket.write(text, 'latin1')
  }

  async hears(text: string): Promise<void> {
    while (!this.heard.includes(text)) {
      await this.hearsMore(text)
    }
  }

  /** Until something arrives, or it is closed. */
  async hearsMore(wanted = 'more'): Promise<void> {
    if (this.socket.destroyed) throw new Error(`closed before "${wanted}"; heard: ${this.heard}`)
    await Promise.race([once(this.socket, 'data'), this.closed])
  }
}

export const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
