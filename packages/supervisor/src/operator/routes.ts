import { StationmasterError } from '../errors.ts'
import type { Control } from '../primary/ports.ts'
import { type Answer, json, jsonLines } from './answer.ts'

/** One request, taken apart. */
interface Call {
  /** What the groups of the route's path matched. */
  readonly params: readonly string[]
  readonly query: URLSearchParams
  /** The header `Accept`. */
  readonly accept: string
  /** The JSON body of a POST; undefined for a GET. */
  readonly body: unknown
}

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: RegExp
  /** `stream` hands the response to the event stream. */
  readonly answer: 'stream' | ((call: Call, control: Control) => Answer | Promise<Answer>)
}

const DECISIONS_BY_DEFAULT = 20
/** More than the fleet remembers. */
const MOST_DECISIONS = 1000

/** What may be read by everyone who reaches the server. */
export const readRoutes: readonly Route[] = [
  { method: 'GET', path: /^\/v1\/status$/, answer: (_, control) => json(control.status()) },
  { method: 'GET', path: /^\/v1\/decisions$/, answer: ({ query }, control) => json(control.decisions(readLast(query))) },
  { method: 'GET', path: /^\/v1\/explain$/, answer: (_, control) => json(control.standing()) },
  { method: 'GET', path: /^\/v1\/events$/, answer: 'stream' },
]

/** What only the owner of the control socket may ask. What changes the fleet answers when it is done, a drain when it has begun. */
export const ownerRoutes: readonly Route[] = [
  { method: 'GET', path: /^\/v1\/recording$/, answer: (_, control) => jsonLines(control.recording()) },
  { method: 'POST', path: /^\/v1\/database$/, answer: async ({ body }, control) => done(await control.setBudget(readBudget(body))) },
  { method: 'POST', path: /^\/v1\/scale$/, answer: async ({ body }, control) => done(await control.scale(readWorkers(body))) },
  { method: 'POST', path: /^\/v1\/reload$/, answer: async (_, control) => done(await control.reload()) },
  {
    method: 'POST',
    path: /^\/v1\/workers\/([^/]+)\/drain$/,
    answer: async ({ params }, control) => done(await control.drain(readWorkerId(params[0] ?? ''))),
  },
]

function done(message: string): Answer {
  return json({ ok: true, message })
}

function readLast(query: URLSearchParams): number {
  const given = query.get('last')
  if (given === null) return DECISIONS_BY_DEFAULT
  const last = /^\d{1,4}$/.test(given) ? Number(given) : 0
  if (last >= 1 && last <= MOST_DECISIONS) return last
  throw invalid(`last=${shortened(given)} is not allowed; expected a whole number from 1 to ${MOST_DECISIONS}.`)
}

function readWorkers(body: unknown): number | 'auto' {
  const workers = typeof body === 'object' && body !== null && 'workers' in body ? body.workers : undefined
  if (workers === 'auto') return workers
  if (typeof workers === 'number' && Number.isInteger(workers) && workers >= 1) return workers
  const given = workers === undefined ? 'The body has no "workers"' : `"workers": ${shortened(JSON.stringify(workers))} is not allowed`
  throw invalid(`${given}; expected {"workers": n} with a whole number of at least 1, or {"workers": "auto"}.`)
}

function readBudget(body: unknown): number {
  const budget = typeof body === 'object' && body !== null && 'budget' in body ? body.budget : undefined
  if (typeof budget === 'number' && Number.isSafeInteger(budget) && budget >= 1) return budget
  throw invalid('expected {"budget": n} with a whole number of at least 1.')
}

function readWorkerId(given: string): number {
  if (/^\d{1,15}$/.test(given)) return Number(given)
  throw invalid(`"${shortened(given)}" is no worker id; expected a number as \`status\` shows it.`)
}

const shortened = (value: string): string => (value.length > 40 ? `${value.slice(0, 40)}…` : value)
const invalid = (message: string): StationmasterError => new StationmasterError('SM_REQUEST_INVALID', 'option', message)
