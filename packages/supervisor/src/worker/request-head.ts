import type { IncomingMessage } from 'node:http'

/** A request's head again, as an HTTP parser reads it. `added` are further headers, names and values in turns. */
export function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage, added: readonly string[] = []): string {
  const headers = [...rawHeaders, ...added]
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${head}\r\n`
}
