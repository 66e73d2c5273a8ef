import { createServer } from 'node:net'

/** How many ports after the wanted one are worth a try. */
const attempts = 50

export async function freePortFrom(wanted: number, host: string): Promise<number> {
  for (let port = wanted; port < wanted + attempts; port++) {
    if (await isFree(port, host)) return port
  }
  throw new Error(`no port from ${wanted} to ${wanted + attempts - 1} is free; set PORT to one that is.`)
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host }, () => probe.close(() => resolve(true)))
  })
}
