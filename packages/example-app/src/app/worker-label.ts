import type { RequestHandler } from 'express'

/** Which worker this is, for people and tests that look at where a request went. */
export const workerLabel: string = process.env['STATIONMASTER_WORKER_ID'] ?? 'alone'

export const labelResponses: RequestHandler = (_request, response, next) => {
  response.setHeader('X-Worker', workerLabel)
  next()
}
