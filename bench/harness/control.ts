import http from 'node:http'

/** The part of a supervisor's status that is used here. */
export interface FleetStatus {
  readonly state: string
  readonly workers: readonly { readonly id: number; readonly pid: number; readonly state: string }[]
}

const ANSWER_LIMIT_MS = 60_000

/** One request to a supervisor's control socket, which speaks HTTP. */
export function ask(socketPath: string, method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { socketPath, method, path, timeout: ANSWER_LIMIT_MS, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => {
          if (response.statusCode === undefined || response.statusCode >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
          else resolve(JSON.parse(text))
        })
      },
    )
    request.on('timeout', () => request.destroy(new Error(`${method} ${path}: no answer in ${ANSWER_LIMIT_MS / 1000} s`)))
    request.on('error', reject)
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
