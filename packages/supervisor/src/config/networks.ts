import { type Kind, as, checked, listOf, text } from './kind.ts'

const NETWORK = 'an address or network such as "10.0.0.5" or "10.0.0.0/8", "loopback", or "private"'

/** What the two words stand for: this machine, and networks that nobody reaches from outside (100.64.0.0/10 is the inside of providers). */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'],
}

const network = checked(text(NETWORK, /^[0-9a-fA-F:.]+(\/\d{1,3})?$|^loopback$|^private$/, 64), (given) => {
  if (Object.hasOwn(WORDS, given)) return null
  const [address = '', prefix] = given.split('/')
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : null
  return bits !== null && (prefix === undefined || Number(prefix) <= bits) ? null : NETWORK
})

/** Networks in the notation `10.0.0.0/8`. */
export const networks: Kind<readonly string[]> = as(listOf(`a list of at most 100 of these: ${NETWORK}`, network, 100), (given) =>
  given.flatMap((each) => WORDS[each] ?? [each.includes('/') ? each : `${each}/${isIPv4(each) ? 32 : 128}`]),
)

function isIPv4(address: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(address) && address.split('.').every((part) => Number(part) <= 255)
}

function isIPv6(address: string): boolean {
  return address.includes(':') && URL.canParse(`http://[${address}]/`)
}
