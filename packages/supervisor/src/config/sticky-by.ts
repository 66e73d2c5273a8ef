import type { StickyBy } from '../policy/session-key.ts'
import type { Sticky } from './values.ts'

/** What workers look for in a request; null where there is nothing, or only what Socket.IO itself brings. */
export function stickyBy(sticky: Sticky): StickyBy | null {
  if (typeof sticky !== 'object') return null
  if ('cookie' in sticky) return { by: 'cookie', name: sticky.cookie }
  return 'header' in sticky ? { by: 'header', name: sticky.header } : { by: 'address', trustProxy: sticky.trustProxy }
}
