import path from 'node:path'
import type { ListenError, ListenRequest } from '../wire/messages.ts'
import type { ServerQuery } from './internals.ts'

const IPV6_ONLY_FLAG = 1

/** What two `listen()` calls must have in common to be about the same socket. */
export type ListenAddress = Omit<ListenRequest, 'kind' | 'requestId' | 'turn' | 'isDealt'>

/** Node has resolved names and checked ranges by now; -1 stands for "a path" and a missing address for "every address". */
export function addressOf(query: ServerQuery): ListenAddress {
  const isPath = typeof query.port === 'number' && query.port < 0
  const fd = typeof query.fd === 'number' && query.fd >= 0 ? query.fd : null
  return {
    port: isPath || fd !== null ? null : query.port,
    host: isPath ? null : query.address,
    path: isPath ? pathOf(query.address ?? '') : null,
    fd,
    ipv6Only: ((query.flags ?? 0) & IPV6_ONLY_FLAG) !== 0,
  }
}

/** The primary may have another working folder. Abstract sockets (a leading NUL) have no folder. */
function pathOf(name: string): string {
  return name.startsWith('\0') ? name : path.resolve(name)
}

/** The error that `listen()` would have emitted in a process of its own. */
export function systemErrorOf(error: ListenError, query: ServerQuery): Error {
  const port = typeof query.port === 'number' && query.port > 0 ? query.port : undefined
  const host = query.address ?? (query.addressType === 4 ? '::' : undefined)
  const where = [host, port].filter((part) => part !== undefined).join(':')
  const reason = error.message.startsWith(`${error.code}:`) ? error.message.slice(error.code.length + 1).trim() : error.message
  const fields = { code: error.code, errno: error.errno, syscall: 'listen', address: host, ...(port === undefined ? {} : { port }) }
  return Object.assign(new Error(`listen ${error.code}: ${reason} ${where}`.trimEnd()), fields)
}

export interface Turn {
  readonly turn: number
  release(): void
}

/** Tells apart several live `listen()` calls for one address: the lowest number that is free, so that listening again is the same socket. */
export function createTurns(): { claim(address: ListenAddress): Turn } {
  const taken = new Map<string, Set<number>>()
  return {
    claim(address) {
      const key = JSON.stringify(address)
      const turns = taken.get(key) ?? new Set()
      taken.set(key, turns)
      let turn = 0
      while (turns.has(turn)) turn++
      turns.add(turn)
      return { turn, release: () => turns.delete(turn) }
    },
  }
}
