import type { IncomingMessage, InformationEvent, ServerResponse } from 'node:http'
import { isHttp2 } from './about-request.ts'
import type { ResponseInside } from './internals.ts'
import { CONNECTION_HEADERS } from './repeat-headers.ts'
import { passTrailers, passTrailersToHttp2, takesTrailers } from './trailers.ts'

type Http2Response = ServerResponse & { readonly stream?: { close(code: number): void; additionalHeaders(headers: object): void } }

const HTTP2_INTERNAL_ERROR = 2
const CONTINUE = 100

/** Gives what another worker answered to the client, as it is. */
export function passAnswer(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
  const status = answer.statusCode ?? 502
  // Without chunks, or an answer to HTTP/2 which is like them, there is no place for trailers.
  const hasTrailers = answer.headers['transfer-encoding'] !== undefined && takesTrailers(request, status)
  const headers = headersOf(answer, hasTrailers)
  response.sendDate = false
  if (isHttp2(request)) response.writeHead(status, grouped(headers))
  else response.writeHead(status, answer.statusMessage, headers)
  answer.on('error', () => {
    // The client has to see that there should have been more.
    if (isHttp2(request)) (response as Http2Response).stream?.close(HTTP2_INTERNAL_ERROR)
    else response.destroy()
  })
  if (hasTrailers && isHttp2(request)) passTrailersToHttp2(answer, response)
  else if (hasTrailers) passTrailers(answer, response)
  answer.pipe(response)
}

/** What the owner says before its answer, such as `103 Early Hints`. HTTP/1.0 knows nothing of it, and consent is asked for elsewhere. */
export function passInformation(
  { statusCode, statusMessage, rawHeaders }: InformationEvent,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (statusCode === CONTINUE || request.httpVersion === '1.0' || response.headersSent) return
  if (isHttp2(request)) return (response as Http2Response).stream?.additionalHeaders({ ':status': statusCode, ...grouped(rawHeaders) })
  let head = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`
  for (let i = 0; i < rawHeaders.length; i += 2) head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`
  ;(response as ResponseInside)._writeRaw(`${head}\r\n`, 'latin1')
}

/** Names and values in turns, as they came. Chunks are made anew where they are needed. */
function headersOf({ rawHeaders }: IncomingMessage, hasTrailers: boolean): string[] {
  const passed: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const lower = name.toLowerCase()
    const isPassed = lower === 'trailer' ? hasTrailers : !CONNECTION_HEADERS.has(lower) && lower !== 'transfer-encoding'
    if (isPassed) passed.push(name, rawHeaders[i + 1] as string)
  }
  return passed
}

function grouped(headers: readonly string[]): Record<string, string[]> {
  const values: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (let i = 0; i < headers.length; i += 2) (values[(headers[i] as string).toLowerCase()] ??= []).push(headers[i + 1] as string)
  return values
}
