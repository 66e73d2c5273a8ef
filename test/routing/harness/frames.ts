import { randomBytes } from 'node:crypto'

/** A masked frame, as clients send it. */
export function frame(payload: Buffer): Buffer {
  const mask = randomBytes(4)
  const length = payload.length < 126 ? Buffer.from([0x80 | payload.length]) : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([Buffer.from([0x82]), length, mask, payload.map((byte, index) => byte ^ (mask[index % 4] as number))])
}

/** The payloads of what a server sent: no masks, no fragments. */
function payloadsIn(bytes: Buffer): Buffer[] {
  const payloads: Buffer[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = (bytes[at + 1] as number) & 0x7f
    const start = at + (short === 126 ? 4 : 2)
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short
    if (start + length > bytes.length) break
    payloads.push(bytes.subarray(start, start + length))
    at = start + length
  }
  return payloads
}

/** The payloads behind the head of a handshake's answer. */
export function payloadsHeard(heard: string): Buffer[] {
  return payloadsIn(Buffer.from(heard.slice(heard.indexOf('\r\n\r\n') + 4), 'latin1'))
}

export const handshake = (cookie: string): string =>
  `GET /ws HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`
