import type { PeerAddress, Route } from '../policy/route.ts'
import { fieldsOf, integerOf, Malformed, textOf } from './shape.ts'

/** The highest workers.max there is. */
const MAX_ROUTES = 1024
/** Platforms allow some dozens. */
const MAX_PEERS = 1024
const MAX_HOST_LENGTH = 255
const MAX_PORT = 65_535
const MAX_ID = Number.MAX_SAFE_INTEGER

export function routesOf(value: unknown): Route[] {
  if (!Array.isArray(value) || value.length > MAX_ROUTES) throw new Malformed('routes')
  return value.map((each: unknown) => {
    const fields = fieldsOf(each)
    return { workerId: integerOf(fields, 'workerId', 0, MAX_ID), slot: integerOf(fields, 'slot', 0, MAX_ID) }
  })
}

export function peersOf(value: unknown): PeerAddress[] {
  if (!Array.isArray(value) || value.length > MAX_PEERS) throw new Malformed('peers')
  return value.map((each: unknown) => {
    const fields = fieldsOf(each)
    return {
      tag: textOf(fields, 'tag', MAX_HOST_LENGTH),
      host: textOf(fields, 'host', MAX_HOST_LENGTH),
      port: integerOf(fields, 'port', 0, MAX_PORT),
    }
  })
}
