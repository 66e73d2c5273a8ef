/** What of a request ties its client to a worker. */
export type StickyBy =
  | { readonly by: 'cookie'; readonly name: string }
  | { readonly by: 'header'; readonly name: string }
  | { readonly by: 'address'; readonly trustProxy: boolean }

export interface RequestFacts {
  /** Lower-case names, as Node gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly remoteAddress: string | undefined
}

/** Longer values are cut: enough to tell clients apart, not enough to cost anything. */
const LONGEST_KEY = 1024

/** The key of a request; null if it has none, and then any worker may answer it. */
export function keyOf({ headers, remoteAddress }: RequestFacts, sticky: StickyBy): string | null {
  switch (sticky.by) {
    case 'cookie':
      return short(cookieIn(textOf(headers['cookie'], '; '), sticky.name))
    case 'header':
      return short(textOf(headers[sticky.name.toLowerCase()], ','))
    case 'address':
      return short((sticky.trustProxy ? forwardedFor(textOf(headers['x-forwarded-for'], ',')) : null) ?? remoteAddress ?? null)
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

/** The address that the proxy next to us saw. What stands before it was written by somebody we do not know. */
function forwardedFor(addresses: string | null): string | null {
  return addresses?.split(',').at(-1)?.trim() || null
}

function short(key: string | null): string | null {
  return key ? key.slice(0, LONGEST_KEY) : null
}
