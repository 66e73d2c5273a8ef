import { type Agent, type IncomingHttpHeaders, request } from 'node:http'

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }

export type Call = {
  readonly agent: Agent
  readonly url: URL
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  readonly timeoutMs: number
  /**
   * Given: a GET whose kept connection closed under it is sent once more, on a new one, and this is called. Browsers and proxies do so, as
   * HTTP allows: a server may close a connection at the very moment at which a request is on its way [never].
   */
  readonly onRetry?: (() => void) | undefined
}

/** Bodies are kept up to this many characters: enough for JSON answers, whatever the server sends. */
const keptBody = 10_000
const reused = ' reused'

/** What became of a kept connection that the server closed while the request was on its way. */
const closedUnderIt = new Set(['ECONNRESET', 'EPIPE'])

/** One request. Rejects with a short code; a connection that was closed between two requests is told apart as "ECONNRESET reused". */
export async function send(call: Call): Promise<Answer> {
  try {
    return await sendOnce(call)
  } catch (error) {
    if (!call.onRetry || call.method === 'POST' || !reasonOf(error).endsWith(reused)) throw error
    call.onRetry()
    return await sendOnce(call)
  }
}

function sendOnce(call: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = call.body === undefined ? '' : JSON.stringify(call.body)
    const headers = { ...call.headers, ...(body && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }) }
    const message = request(call.url, { agent: call.agent, method: call.method ?? 'GET', headers })
    const timer = setTimeout(() => message.destroy(new Error('timeout')), call.timeoutMs)
    const fail = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      const code = error.message === 'timeout' ? 'timeout' : (error.code ?? error.message)
      reject(new Error(message.reusedSocket && closedUnderIt.has(code) ? `${code}${reused}` : code))
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
