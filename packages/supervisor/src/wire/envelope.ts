import type { Envelope } from './messages.ts'

const NAMESPACE = 'stationmaster'
const VERSION = 1

/** Wraps a message for the shared IPC channel. */
export function seal<Body>(body: Body): Envelope<Body> {
  return { ns: NAMESPACE, v: VERSION, body }
}

/** True if a message on the IPC channel claims to be ours, in whatever version and shape. */
export function isOurs(message: unknown): boolean {
  try {
    return typeof message === 'object' && message !== null && (message as { ns?: unknown }).ns === NAMESPACE
  } catch {
    return false // a getter that throws is nobody's message
  }
}

/** The body of a message of ours, not looked at yet; null if the message is foreign or of another version. */
export function unseal(message: unknown): { readonly body: unknown } | null {
  if (!isOurs(message)) return null
  try {
    const envelope = message as { v?: unknown; body?: unknown }
    return envelope.v === VERSION ? { body: envelope.body } : null
  } catch {
    return null
  }
}
