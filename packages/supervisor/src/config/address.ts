import { type Kind, as, checked, text } from './kind.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

const EXPECTED = 'host:port with a port from 0 to 65535, such as "127.0.0.1:9090" or "[::1]:9090"'
const ADDRESS = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/
const MAX_PORT = 65_535

export const hostAndPort: Kind<Address> = as(
  checked(text(EXPECTED, ADDRESS, 300), (address) => (portOf(address) > MAX_PORT ? EXPECTED : null)),
  (address) => ({ host: address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, ''), port: portOf(address) }),
)

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}
