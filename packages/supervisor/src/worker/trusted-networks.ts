import net from 'node:net'

/** Tells of an address, or of any text that claims to be one, whether it is in these networks, such as `10.0.0.0/8` and `fc00::/7`. */
export function trustedNetworks(networks: readonly string[]): (address: string) => boolean {
  const trusted = new net.BlockList() // a list of whom to believe; Node calls it after its other use
  for (const network of networks) {
    const [address, prefix] = network.split('/')
    trusted.addSubnet(address as string, Number(prefix), familyOf(network))
  }
  return (address) => net.isIP(address) !== 0 && trusted.check(address, familyOf(address))
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (address.includes(':') ? 'ipv6' : 'ipv4')
