import { createServer } from 'node:net'

/** How many ports after the wanted one are worth a try. */
const attempts = 50
const highestPort = 65_535

/** The wanted port, or the next one that is free. */
export async function freePortFrom(wanted: number, host: string): Promise<number> {
  const last = Math.min(wanted + attempts - 1, highestPort)
  for (let port = wanted; port <= last; port++) {
    if (await isFree(port, host)) return port
  }
  throw new Error(`No port from ${wanted} to ${last} is free on ${host}; set PORT to one that is.`)
}

export function wantedPort(text: string | undefined, fallback: number): number {
  const port = text ? Number(text) : fallback
  if (Number.isInteger(port) && port >= 1 && port <= highestPort) return port
  throw new Error(`PORT must be a whole number from 1 to ${highestPort}, and is ${text}.`)
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host }, () => probe.close(() => resolve(true)))
  })
}
