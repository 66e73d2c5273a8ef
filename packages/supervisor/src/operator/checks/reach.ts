import { once } from 'node:events'
import net from 'node:net'
import { type Finding, error } from './finding.ts'

const CONNECT_TIMEOUT_MS = 2000

/** Whether something accepts connections where a service should be. Passwords are not tried, and never shown. */
export async function checkReach(option: string, url: string | null, usualPort: number): Promise<Finding[]> {
  if (url === null) return []
  const where = URL.parse(url)
  // A host list, a Unix socket: what we cannot take apart is for the app's own driver.
  if (!where || where.hostname === '' || where.searchParams.has('host')) return []
  const host = decodeURIComponent(where.hostname).replace(/^\[|\]$/g, '')
  const port = Number(where.port) || usualPort
  const failure = await tryConnect(host, port)
  return failure === null ? [] : [error(`${option}: nothing answers at ${host}:${port} (${failure}). Start it, or correct the address.`)]
}

async function tryConnect(host: string, port: number): Promise<string | null> {
  const socket = net.connect({ host, port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
    return null
  } catch (failure) {
    const { code, name } = failure as NodeJS.ErrnoException
    return name === 'AbortError' ? `no answer in ${CONNECT_TIMEOUT_MS / 1000} s` : (code ?? 'no connection')
  } finally {
    socket.on('error', () => {}).destroy()
  }
}
