/** What of a request ties its client to a worker. */
export type StickyBy =
  | { readonly by: 'cookie'; readonly name: string }
  | { readonly by: 'header'; readonly name: string }
  | { readonly by: 'address'; readonly trustProxy: boolean }

export interface RequestFacts {
  /** Lower-case names, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly remoteAddress: string | undefined
  /** Whether this is the address of a proxy that says the truth about who is before it; null if none is known by address. */
  readonly isTrusted: ((address: string) => boolean) | null
}

const IPV4_IN_IPV6 = '::ffff:'
/** Longer values are cut: enough to tell clients apart, not enough to cost anything. */
const LONGEST_KEY = 1024

/** The key of a request; null if it has none, and then any worker may answer it. */
export function keyOf(facts: RequestFacts, sticky: StickyBy): string | null {
  const { headers, remoteAddress } = facts
  switch (sticky.by) {
    case 'cookie':
      return short(cookieIn(textOf(headers['cookie'], '; '), sticky.name))
    case 'header':
      return short(textOf(headers[sticky.name.toLowerCase()], ','))
    case 'address':
      return short(sticky.trustProxy ? clientBefore(facts) : plain(remoteAddress ?? ''))
  }
}

function textOf(value: string | readonly string[] | undefined, separator: string): string | null {
  if (value === undefined) return null
  return typeof value === 'string' ? value : value.join(separator)
}

/** The first cookie of exactly this name, as servers read it. */
function cookieIn(cookies: string | null, name: string): string | null {
  for (const pair of cookies?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return null
}

/**
 * The address nearest to the client that somebody we trust has seen. What stands before it was written by somebody we do not know. Where no proxy is known by
 * its address, only the one next to us is trusted.
 */
function clientBefore({ headers, remoteAddress, isTrusted }: RequestFacts): string {
  const chain = (textOf(headers['x-forwarded-for'], ',') ?? '')
    .split(',')
    .map(plain)
    .filter((address) => address !== '')
  let address = plain(remoteAddress ?? '')
  if (!isTrusted) return chain.at(-1) ?? address
  while (isTrusted(address)) {
    const before = chain.pop()
    if (before === undefined) break
    address = before
  }
  return address
}

/** Without what is not the same in each request of a client: ports, which some proxies add, and ways to write an IPv4 address as IPv6. */
function plain(text: string): string {
  const address = text.trim().toLowerCase()
  const inner = /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address
  return inner.startsWith(IPV4_IN_IPV6) && inner.includes('.') ? inner.slice(IPV4_IN_IPV6.length) : inner
}

function short(key: string | null): string | null {
  return key ? key.slice(0, LONGEST_KEY) : null
}
