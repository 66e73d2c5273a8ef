import type { IncomingMessage } from 'node:http'
import { once } from 'node:events'
import net from 'node:net'
import { http } from './node-http.ts'

/** A live supervisor answers in a few milliseconds; one that is stopped (SIGSTOP) never does, yet lives. */
const ANSWER_TIMEOUT_MS = 1000

/** Who listens on a Unix socket: its pid where it is a supervisor that tells, or null where nobody does. */
export async function whoListens(file: string): Promise<{ readonly pid: number | null } | null> {
  return (await isLive(file)) ? { pid: await askPid(file) } : null
}

async function isLive(file: string): Promise<boolean> {
  const socket = net.connect(file)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A full backlog (EAGAIN) has an owner too.
    return code !== 'ECONNREFUSED' && code !== 'ENOENT'
  } finally {
    socket.destroy()
  }
}

async function askPid(file: string): Promise<number | null> {
  const request = http.get({ socketPath: file, path: '/v1/status', agent: false, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  request.on('error', () => {})
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let body = ''
    for await (const chunk of response.setEncoding('utf8')) body += String(chunk).slice(0, 1e6)
    const status = JSON.parse(body) as { pid?: unknown } | null
    return typeof status?.pid === 'number' ? status.pid : null
  } catch {
    return null
  } finally {
    request.destroy()
  }
}
