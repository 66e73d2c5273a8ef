import type { IncomingMessage } from 'node:http'
import { hasBody, isHttp2 } from './about-request.ts'

/**
 * Headers that are about one connection only; each of the two connections has its own. What else a `Connection` header names is passed on all the same: clients
 * must not be able to take headers away from a request.
 */
export const CONNECTION_HEADERS: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'te', 'trailer', 'expect'])

/** That the client takes trailers is true on both connections; other codings are between it and whoever accepted it. */
const TAKES_TRAILERS = /(^|,)\s*trailers\s*(,|$)/i

/** Node's client makes chunks of these if nothing tells their length. */
const CHUNKED_BY_DEFAULT = new Set(['POST', 'PUT', 'PATCH'])

/** The headers of a request, to be sent again: names and values in turns, as they came. How long the body is, is said once and clearly. */
export function repeatHeaders(request: IncomingMessage): string[] {
  const { rawHeaders, method, headers } = request
  const isChunked = headers['transfer-encoding'] !== undefined
  const passed: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const value = rawHeaders[i + 1] as string
    const lower = name.toLowerCase()
    if (lower === 'te' && TAKES_TRAILERS.test(value)) passed.push(name, 'trailers')
    // Without chunks there is no place for trailers.
    else if (lower === 'trailer' && isChunked) passed.push(name, value)
    if (CONNECTION_HEADERS.has(lower) || lower.startsWith(':')) continue
    if (lower === 'content-length' && isChunked) continue
    passed.push(name, value)
  }
  if (isHttp2(request)) addWhatHttp2Implies(request, passed)
  else if (!hasBody(request) && headers['content-length'] === undefined && CHUNKED_BY_DEFAULT.has(method ?? '')) passed.push('Content-Length', '0')
  return passed
}

function addWhatHttp2Implies(request: IncomingMessage, passed: string[]): void {
  const { headers, method } = request
  const authority = headers[':authority']
  if (authority !== undefined && headers.host === undefined) passed.push('Host', String(authority))
  if (headers['content-length'] !== undefined) return
  if (hasBody(request)) passed.push('Transfer-Encoding', 'chunked')
  else if (CHUNKED_BY_DEFAULT.has(method ?? '')) passed.push('Content-Length', '0')
}
