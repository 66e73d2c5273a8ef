import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { StationmasterError } from '../errors.ts'
import type { Acceptor } from './acceptor.ts'
import type { LaunchContext, ReplicaLaunch } from './launch.ts'

interface Place {
  readonly host: string
  readonly port: number
}

interface Given {
  readonly listen: Place
  /** Null: to be found out. */
  readonly address: Place | null
  readonly secret: string
}

interface Found {
  readonly launch: Omit<ReplicaLaunch, 'tag'>
  /** `host:port`, for the others. */
  readonly address: string
}

type Interfaces = ReturnType<typeof networkInterfaces>

const EVERYWHERE = new Set(['::', '0.0.0.0'])
/** In the order in which they are taken: private networks of IPv6 (RFC 4193), of IPv4 (RFC 1918), and what is left, which may be private too. */
const SORTS: readonly RegExp[] = [/^f[cd]/i, /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/, /^(?!fe80:)/i]

const NO_ADDRESS =
  'replica.address is missing: this machine has no address that other replicas could reach it by, as far as can be seen from inside; set it.'

/**
 * Where this replica takes what belongs to it, and where the others find that.
 *
 * @throws StationmasterError `SM_OPTION_INVALID`
 */
export async function openToReplicas({ listen, address, secret }: Given): Promise<Found> {
  const { address: host } = await lookup(listen.host).catch(() => {
    throw new StationmasterError(
      'SM_OPTION_INVALID',
      'option',
      `replica.listen: there is no ${listen.host}; name an address of this machine, or [::] for all.`,
    )
  })
  const own = address ? textOf(address) : ownAddress({ host, port: listen.port })
  if (own === null) throw new StationmasterError('SM_OPTION_INVALID', 'option', NO_ADDRESS)
  return { launch: { listen: { host, port: listen.port }, secret }, address: own }
}

/** Now, and not when the first worker asks for it: a port that somebody else has is a fault of the configuration. Null, or that fault. */
export async function openReplicaPort({ replica, listen }: Pick<LaunchContext, 'replica' | 'listen'>, acceptor: Acceptor): Promise<string | null> {
  if (replica === null || listen !== 'own') return null
  const { error } = await acceptor.open({
    kind: 'listen',
    requestId: 0,
    ...replica.listen,
    path: null,
    fd: null,
    ipv6Only: false,
    isDealt: false,
    turn: 0,
  })
  return error && error.code !== 'ECANCELED' ? `replica.listen: ${error.message}` : null
}

/** Where the fleet listens for clients. */
export function publicAddresses(acceptor: Acceptor, replica: ReplicaLaunch | null): string[] {
  return acceptor.addresses().filter((address) => replica === null || address !== textOf(replica.listen))
}

/**
 * Where other machines reach what listens at `listen`, as `host:port`; null if this machine has no address to reach it by.
 *
 * @example
 * ownAddress({ host: '::', port: 9470 }) // '[fd12::7]:9470'
 */
export function ownAddress({ host, port }: Place, interfaces: Interfaces = networkInterfaces()): string | null {
  const found = EVERYWHERE.has(host) ? addressOf(host, interfaces) : host
  return found === null ? null : textOf({ host: found, port })
}

/** As people and URLs write it. */
function textOf({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function addressOf(listen: string, interfaces: Interfaces): string | null {
  const outside = Object.values(interfaces).flatMap((addresses) => (addresses ?? []).filter(({ internal }) => !internal))
  const usable = outside.filter(({ family }) => listen === '::' || family === 'IPv4').map(({ address }) => address)
  return SORTS.map((sort) => usable.find((address) => sort.test(address))).find((address) => address !== undefined) ?? null
}
