import type { ServerResponse } from 'node:http'
import { type ErrorCode, type Fault, StationmasterError } from '../errors.ts'

/** What a route answers, ready to be written. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  /** A text, or lines that are sent as fast as they are taken. */
  readonly body: string | Iterable<string>
  readonly headers?: Readonly<Record<string, string>>
}

type TextAnswer = Answer & { readonly body: string }

/** The body of every answer that is not a success. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly fault: Fault }
}

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  SM_REQUEST_INVALID: 400,
  SM_OPTION_INVALID: 400,
  SM_WORKER_UNKNOWN: 404,
  SM_RELOAD_BUSY: 409,
  SM_NOT_STARTED: 503,
  SM_STOPPING: 503,
}

export function json(value: unknown, status = 200): TextAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` }
}

export function text(value: string, status = 200): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${value}\n` }
}

export function jsonLines(lines: Iterable<string>): Answer {
  return { status: 200, contentType: 'application/jsonl; charset=utf-8', body: lines }
}

/** The caller asked for something that cannot be asked for. */
export function refusal(status: number, message: string, headers: Readonly<Record<string, string>> = {}): TextAnswer {
  const body: ErrorBody = { error: { code: 'SM_REQUEST_INVALID', message, fault: 'option' } }
  return { ...json(body, status), headers }
}

/** An error that a handler threw; null when it is none of ours, and so nothing to show to strangers. */
export function errorAnswer(error: unknown): Answer | null {
  if (!(error instanceof StationmasterError)) return null
  const body: ErrorBody = { error: { code: error.code, message: error.message, fault: error.fault } }
  return json(body, STATUS_OF[error.code] ?? 500)
}

export function internalError(): Answer {
  const body: ErrorBody = { error: { code: 'SM_INTERNAL', message: 'The supervisor could not answer; its log says why.', fault: 'bug' } }
  return json(body, 500)
}

export function send(response: ServerResponse, answer: Answer): void {
  // The client may have left while the answer was being worked out.
  if (response.destroyed || response.headersSent) return
  const { body } = answer
  response.writeHead(answer.status, {
    'Content-Type': answer.contentType,
    ...(typeof body === 'string' ? { 'Content-Length': Buffer.byteLength(body) } : {}),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...answer.headers,
  })
  if (typeof body === 'string') response.end(body)
  else sendLines(response, body[Symbol.iterator]())
}

const PART_LENGTH = 32 * 1024

/**
 * As fast as they are taken; a client that leaves in the middle ends it. Each part waits for the one before: Node 26.10 loses the event
 * 'drain' of a response now and then, and a pipeline with it.
 */
function sendLines(response: ServerResponse, lines: Iterator<string>): void {
  response.on('error', () => {}) // there is nobody left to tell
  const sendPart = (): void => {
    let part = ''
    while (part.length < PART_LENGTH) {
      const next = lines.next()
      if (next.done) return void response.end(part)
      part += `${next.value}\n`
    }
    response.write(part, (error) => {
      if (!error) sendPart()
    })
  }
  sendPart()
}
