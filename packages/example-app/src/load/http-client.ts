import { type Agent, type IncomingHttpHeaders, request } from 'node:http'

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }

export type Call = {
  readonly agent: Agent
  readonly url: URL
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  readonly timeoutMs: number
}

/** Bodies are kept up to this many characters: enough for JSON answers, whatever the server sends. */
const keptBody = 10_000

/**
 * One request. Rejects with a short code. Nothing is ever retried: a connection that was reset between two requests is a failure that a
 * user would have seen, and is told apart as "ECONNRESET reused".
 */
export function send(call: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = call.body === undefined ? '' : JSON.stringify(call.body)
    const headers = { ...call.headers, ...(body && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }) }
    const message = request(call.url, { agent: call.agent, method: call.method ?? 'GET', headers })
    const timer = setTimeout(() => message.destroy(new Error('timeout')), call.timeoutMs)
    const fail = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      const code = error.message === 'timeout' ? 'timeout' : (error.code ?? error.message)
      reject(new Error(message.reusedSocket && code === 'ECONNRESET' ? 'ECONNRESET reused' : code))
    }
    message.once('error', fail)
    message.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        if (text.length < keptBody) text += chunk
      })
      response.once('error', fail)
      response.once('end', () => {
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
      })
    })
    message.end(body)
  })
}

export function workerOf(headers: IncomingHttpHeaders): string | undefined {
  const worker = headers['x-worker']
  return typeof worker === 'string' ? worker : undefined
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
