import type { Connection } from './connection.ts'
import type { Http2Stream, ResponseInside } from './internals.ts'

/** WebSocket frame: final, opcode 8 (close), 2 bytes of payload: 1001, "going away". */
const CLOSE_FRAME = Buffer.from([0x88, 0x02, 0x03, 0xe9])
const LAST_CHUNK = '0\r\n\r\n'

/** Tells a WebSocket client to leave; false if the handshake is not through and it has to be tried again. */
export function closeWebSocket({ stream, upgrade }: Connection): boolean {
  if (!upgrade || stream.bytesWritten <= upgrade.bytesWritten) return false
  if (stream.writable) stream.write(CLOSE_FRAME)
  return true
}

/**
 * Ends an event stream as its app would, below the app: a response that we ended would make the app's next write an error, while
 * a connection that closes is an everyday event. Browsers open the stream again by themselves.
 */
export function endEventStream({ stream, response }: Connection): void {
  if (response && isChunked(response) && stream.writable) stream.write(LAST_CHUNK)
  stream.destroySoon()
}

/** The same over HTTP/2, where a stream has an end of its own. What the app still writes there would be an error in Node, so it goes nowhere. */
export function endEventStreamOfSession(stream: Http2Stream): void {
  stream.end()
  stream.write = () => true
  stream.end = () => stream
}

function isChunked(response: ResponseInside): boolean {
  return response._header?.toLowerCase().includes('transfer-encoding: chunked') ?? false
}
