const HEAD_END = Buffer.from('\r\n\r\n')
const OK = Buffer.from('HTTP/1.1 200')

export interface Response {
  readonly length: number
  readonly keepsOpen: boolean
}

export function isOk(bytes: Buffer): boolean {
  return bytes.compare(OK, 0, OK.length, 0, OK.length) === 0
}

/** Null while the response is not whole. Every server measured here sends a `Content-Length`. */
export function parseResponse(bytes: Buffer): Response | null {
  const headLength = bytes.indexOf(HEAD_END) + HEAD_END.length
  if (headLength < HEAD_END.length) return null
  const head = bytes.toString('latin1', 0, headLength).toLowerCase()
  const bodyLength = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0)
  if (bytes.length < headLength + bodyLength) return null
  return { length: headLength + bodyLength, keepsOpen: !head.includes('\r\nconnection: close') }
}
