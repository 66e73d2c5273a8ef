import type { ErrorRequestHandler } from 'express'

/** A dependency does not answer. The app stays up, says so, and works again as soon as the dependency does. */
export class ServiceAway extends Error {
  readonly service: string

  constructor(service: string, cause: unknown) {
    super(`${service} does not answer right now. Please try again in a moment.`, { cause })
    this.service = service
  }
}

export async function withDeadline<T>(work: Promise<T>, deadlineMs: number, service: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ServiceAway(service, `no answer within ${deadlineMs} ms`)), deadlineMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** At most one line in this time for each service: an outage must not fill a disk with logs. */
const quietMs = 5_000
const lastComplaint = new Map<string, number>()

export function complain(service: string, error: unknown): void {
  const now = Date.now()
  if (now - (lastComplaint.get(service) ?? 0) < quietMs) return
  lastComplaint.set(service, now)
  console.error(`${service}: ${error instanceof Error ? error.message || error.name : String(error)}`)
}

export const answerErrors: ErrorRequestHandler = (error, _request, response, _next) => {
  // A session that could not be saved after the answer had begun: too late for a status, and cutting the answer helps nobody.
  if (response.headersSent) return complain('after the answer', error)
  if (error instanceof ServiceAway) {
    complain(error.service, error.cause ?? error)
    response.status(503).setHeader('Retry-After', '1').json({ error: error.message })
    return
  }
  const status = typeof error?.status === 'number' && error.status >= 400 && error.status < 500 ? error.status : 500
  if (status === 500) complain('request', error)
  response.status(status).json({ error: status === 500 ? 'Something went wrong here.' : String(error.message) })
}
