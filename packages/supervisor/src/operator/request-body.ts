import type { IncomingMessage } from 'node:http'
import { type Answer, refusal } from './answer.ts'

/** Ten times the largest request anybody needs to send. */
const MAX_BODY_BYTES = 64 * 1024

export type ReadBody = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly answer: Answer }

/** The JSON body of a request; an empty body is an empty object. */
export async function readJsonBody(request: IncomingMessage): Promise<ReadBody> {
  // Whoever lays the socket on a port must not be at the mercy of every page that a browser there has open. A browser always says where a POST
  // comes from; `curl -d`, which says nothing of JSON, is welcome.
  if (request.headers.origin !== undefined)
    return refused(request, 403, 'Web pages may not change the fleet; use the command line or connectControl().')
  const bytes = await collect(request)
  if (!bytes) return refused(request, 413, `The body is larger than ${MAX_BODY_BYTES} bytes.`)
  const source = bytes.toString('utf8').trim()
  if (source === '') return { ok: true, value: {} }
  try {
    return { ok: true, value: JSON.parse(source) as unknown }
  } catch {
    return refused(request, 400, 'The body is not valid JSON; expected an object such as {"workers": 4}.')
  }
}

/** Null when there is more than may be. Rejects when the client leaves in the middle. */
async function collect(request: IncomingMessage): Promise<Buffer | null> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_BODY_BYTES) resolve(null)
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
    request.on('close', () => reject(new Error('The client left before its request was complete.')))
  })
}

function refused(request: IncomingMessage, status: number, message: string): ReadBody {
  // What is still coming is read and dropped (the server's time limit bounds it): closing with unread bytes would destroy the answer.
  request.resume()
  return { ok: false, answer: refusal(status, message) }
}
