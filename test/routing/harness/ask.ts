import http from 'node:http'
import { within } from '../../processes/harness/until.ts'

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

/** One request; on a connection of its own unless an agent says otherwise. */
export function ask(options: http.RequestOptions, body?: Buffer): Promise<Answer> {
  const answer = new Promise<Answer>((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }))
      response.on('error', reject)
    })
    request.on('error', reject)
    // Node sends none by itself where it does not expect a body, such as with DELETE.
    if (body) request.setHeader('content-length', body.length)
    request.end(body)
  })
  return within(`an answer to ${options.path}`, answer)
}
