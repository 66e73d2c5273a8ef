import net from 'node:net'
import type { BoundHandle } from './acceptor.ts'

/** The test speaks to itself on loopback; longer than this means that it does not work. */
const SELF_TEST_MS = 5000

/**
 * Shared sockets rest on a part of node that is not public. Before anything depends on it, one socket is bound, listened on,
 * connected to and asked for a byte, the way workers will do it. If that fails, node's own round robin serves instead.
 */
export async function sharedSocketsWork(): Promise<boolean> {
  const internals = net as unknown as {
    _createServerHandle?(address: string, port: number, family: number): BoundHandle | number
  }
  const handle = internals._createServerHandle?.('127.0.0.1', 0, 4)
  if (!handle || typeof handle === 'number') return false
  try {
    return await serveOneByte(handle)
  } catch {
    return false
  } finally {
    handle.close()
  }
}

function serveOneByte(handle: BoundHandle): Promise<boolean> {
  return new Promise((resolve) => {
    const address: { port?: number } = {}
    let accepted: BoundHandle | null = null
    handle.onconnection = (status, client) => {
      if (status !== 0) return finish(false)
      accepted = client
      new net.Socket({ handle: client } as unknown as net.SocketConstructorOpts).on('error', () => {}).end('x')
    }
    if (handle.getsockname?.(address) !== 0 || handle.listen(1) !== 0 || !address.port) return resolve(false)
    const probe = net.connect(address.port, '127.0.0.1')
    const timer = setTimeout(() => finish(false), SELF_TEST_MS)
    function finish(works: boolean) {
      clearTimeout(timer)
      probe.destroy()
      resolve(works && accepted !== null)
    }
    probe.once('data', () => finish(true)).once('error', () => finish(false))
  })
}
