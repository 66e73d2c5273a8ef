import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { StationmasterError } from '../errors.ts'
import type { ErrorBody } from './answer.ts'
import { http } from './node-http.ts'

/** Reading is answered at once; a supervisor that takes longer is stopped or stuck. What changes the fleet takes its time. */
const READ_TIMEOUT_MS = 5000
/** Many times the status of the largest fleet. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

type Method = 'GET' | 'POST'

/** One request over the control socket and its JSON answer. */
export async function askSupervisor(file: string, method: Method, url: string, body?: unknown): Promise<unknown> {
  const response = await request(file, method, url, body)
  // What follows the head comes at once; a supervisor that is stopped between the two must not hold us for ever.
  response.setTimeout(READ_TIMEOUT_MS, () => response.destroy(silent(file)))
  let source = ''
  try {
    for await (const chunk of response) {
      source += String(chunk)
      if (source.length > MAX_ANSWER_BYTES) throw foreign(file)
    }
  } catch (error) {
    throw asOurs(file, error)
  }
  const answer = parse(file, source)
  if (response.statusCode === 200) return answer
  throw toError(file, answer)
}

/** A response to read from for as long as the supervisor lives. */
export async function openStream(file: string, url: string): Promise<IncomingMessage> {
  const response = await request(file, 'GET', url)
  if (response.statusCode === 200) return response
  response.destroy()
  throw foreign(file)
}

/** The lines of an answer, as they come. */
export async function* readLines(file: string, url: string): AsyncGenerator<string, void, undefined> {
  const response = await openStream(file, url)
  response.setTimeout(READ_TIMEOUT_MS, () => response.destroy(silent(file)))
  let pending = ''
  try {
    for await (const chunk of response) {
      pending += String(chunk)
      if (pending.length > MAX_ANSWER_BYTES) throw foreign(file)
      const lines = pending.split('\n')
      pending = lines.pop() ?? ''
      yield* lines
    }
  } catch (error) {
    throw asOurs(file, error)
  } finally {
    response.destroy()
  }
}

async function request(file: string, method: Method, url: string, body?: unknown): Promise<IncomingMessage> {
  const source = body === undefined ? '' : JSON.stringify(body)
  const headers = method === 'POST' ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(source) } : {}
  const outgoing = http.request({ socketPath: file, path: url, method, headers, agent: false })
  // What fails after the head is told by the response; the request tells it too, to nobody.
  outgoing.on('error', () => {})
  const timer = method === 'GET' ? setTimeout(() => outgoing.destroy(silent(file)), READ_TIMEOUT_MS) : undefined
  try {
    outgoing.end(source)
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    return response.setEncoding('utf8')
  } catch (error) {
    throw asOurs(file, error)
  } finally {
    clearTimeout(timer)
  }
}

function parse(file: string, source: string): unknown {
  try {
    return JSON.parse(source) as unknown
  } catch {
    throw foreign(file)
  }
}

function toError(file: string, answer: unknown): StationmasterError {
  const { error } = (answer ?? {}) as Partial<ErrorBody>
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') return foreign(file)
  return new StationmasterError(error.code, error.fault ?? 'environment', error.message)
}

function asOurs(file: string, error: unknown): StationmasterError {
  if (error instanceof StationmasterError) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK' || code === 'ENOTDIR') return nobody(file, error)
  if (code === 'EACCES' || code === 'EPERM') return lost(`The supervisor on ${file} belongs to another user. Run this command as that user.`, error)
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return lost(`The supervisor on ${file} went away, or has no connection free, before it answered.`, error)
  if (code?.startsWith('HPE_')) return foreign(file)
  return lost(`The supervisor on ${file} cannot be reached: ${message}.`, error)
}

function nobody(file: string, cause: unknown): StationmasterError {
  const how = 'Start one with `stationmaster start <entry>`, or name its socket with --control.'
  return lost(`No supervisor listens on ${file}. ${how}`, cause)
}

const lost = (message: string, cause?: unknown): StationmasterError => new StationmasterError('SM_NO_SUPERVISOR', 'environment', message, { cause })
const silent = (file: string): StationmasterError =>
  lost(`The supervisor on ${file} does not answer (waited ${READ_TIMEOUT_MS / 1000} s); it may be stopped or stuck.`)
const foreign = (file: string): StationmasterError =>
  lost(`What listens on ${file} does not answer like a supervisor; name the right socket with --control.`)
