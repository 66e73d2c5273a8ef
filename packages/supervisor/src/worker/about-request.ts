import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'

type Http2Request = IncomingMessage & { readonly stream?: { readonly endAfterHeaders?: boolean; readonly session?: EventEmitter } }

/** Methods that ask and change nothing (RFC 9110, 9.2.1): asking twice does no harm. */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Whether anything can follow the head of this request. */
export function hasBody(request: IncomingMessage): boolean {
  if (isHttp2(request)) return (request as Http2Request).stream?.endAfterHeaders !== true
  const { headers } = request
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** Whether a request must not be given to a second worker while the first may have it; both sides of a forward ask this. */
export function isGivenOnce(request: IncomingMessage): boolean {
  return hasBody(request) || !SAFE_METHODS.has(request.method ?? '')
}

/** True for what node:http2 gives to the listeners of `request`, which looks like node:http's. */
export function isHttp2({ httpVersionMajor }: IncomingMessage): boolean {
  return httpVersionMajor === 2
}

/** What closes when the client's connection does. The `socket` of an HTTP/2 request tells only of its own stream. */
export function connectionOf(request: IncomingMessage): EventEmitter {
  return (request as Http2Request).stream?.session ?? request.socket
}
