import { isIP } from 'node:net'
import type { IncomingMessage } from 'node:http'
import { type Answer, refusal } from './answer.ts'

/** They tell a stranger nothing, and probes come under any name. */
const OPEN_TO_ALL = /^\/(livez|readyz)(\?|$)/

/**
 * Guards against DNS rebinding: a page in a browser can make its own name point at this machine, but cannot forge the Host
 * header. So only names that nobody else can own are let in: addresses, localhost, and the host that was configured.
 */
export function checkHost(request: IncomingMessage, configuredHost: string): Answer | null {
  if (OPEN_TO_ALL.test(request.url ?? '')) return null
  const host = hostName(request.headers.host ?? '')
  if (isIP(host) > 0 || host === 'localhost' || host === configuredHost.toLowerCase()) return null
  return refusal(403, `The host "${host.slice(0, 100)}" is not served here; use an address, localhost, or the host of admin.listen.`)
}

function hostName(header: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header.trim().toLowerCase()) ?? []
  return bracketed ?? plain ?? ''
}
