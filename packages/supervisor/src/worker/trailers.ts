import type { IncomingMessage, ServerResponse } from 'node:http'
import { isHttp2 } from './about-request.ts'

interface TakesTrailers {
  addTrailers(trailers: readonly (readonly [string, string])[]): unknown
  destroy(): unknown
}

/** Passes on what follows a body, as soon as it is there: to be called before the body is piped, whose end is the end of all. */
export function passTrailers(from: IncomingMessage, to: object): void {
  from.once('end', () => {
    const trailers = pairsOf(from.rawTrailers)
    if (trailers.length === 0) return
    const target = to as TakesTrailers
    try {
      target.addTrailers(trailers)
    } catch {
      target.destroy() // cut rather than changed
    }
  })
}

/** An HTTP/2 response takes names and lists of values. */
export function passTrailersToHttp2(from: IncomingMessage, response: ServerResponse): void {
  from.once('end', () => {
    for (const [name, values] of Object.entries(from.trailersDistinct)) if (values) (response as unknown as Http2Response).setTrailer(name, values)
  })
}

interface Http2Response {
  setTrailer(name: string, values: readonly string[]): void
}

/** HTTP/1.0 has no chunks, and a response without a body has no end to put them. */
export function takesTrailers(request: IncomingMessage, status: number): boolean {
  return isHttp2(request) || (request.httpVersion !== '1.0' && request.method !== 'HEAD' && status !== 204 && status !== 304)
}

function pairsOf(raw: readonly string[]): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = []
  for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i] as string, raw[i + 1] as string])
  return pairs
}
