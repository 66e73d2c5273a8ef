import type { IncomingMessage } from 'node:http'

/** Whether anything can follow the head of this request. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
