import type { IncomingMessage, ServerResponse } from 'node:http'
import { CONNECTION_HEADERS } from './repeat-headers.ts'

type Http2Response = ServerResponse & { readonly stream?: { close(code: number): void } }

const HTTP2_INTERNAL_ERROR = 2

/** Gives what another worker answered to the client, as it is. */
export function passAnswer(answer: IncomingMessage, response: ServerResponse, isHttp2: boolean): void {
  const status = answer.statusCode ?? 502
  const headers = headersOf(answer)
  response.sendDate = false
  if (isHttp2) response.writeHead(status, grouped(headers))
  else response.writeHead(status, answer.statusMessage, headers)
  answer.on('error', () => {
    // The client has to see that there should have been more.
    if (isHttp2) (response as Http2Response).stream?.close(HTTP2_INTERNAL_ERROR)
    else response.destroy()
  })
  answer.pipe(response)
}

/** Names and values in turns, as they came. Chunks are made anew where they are needed. */
function headersOf({ rawHeaders }: IncomingMessage): string[] {
  const passed: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const lower = name.toLowerCase()
    if (!CONNECTION_HEADERS.has(lower) && lower !== 'transfer-encoding') passed.push(name, rawHeaders[i + 1] as string)
  }
  return passed
}

function grouped(headers: readonly string[]): Record<string, string[]> {
  const values: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (let i = 0; i < headers.length; i += 2) (values[(headers[i] as string).toLowerCase()] ??= []).push(headers[i + 1] as string)
  return values
}
