/**
 * One look at every event of `process`, before anybody else's. Listeners would not do: the app must not see our messages, and must
 * not be ended by signals that its terminal or container sends to the whole group (workers follow the primary).
 */
import { constants } from 'node:os'

export interface ProcessHooks {
  /** True if the message was ours: the app's listeners do not get it. */
  onMessage(message: unknown, handle: unknown): boolean
  /** The IPC channel closed. Called before anybody else hears of it. */
  onDisconnect(): void
  /** Nothing is left to do in this process. */
  onBeforeExit(): void
  onExit(): void
}

type FollowedSignal = 'SIGINT' | 'SIGTERM'

/** A terminal that closes sends SIGHUP to all; the primary knows what it means. The app may listen for it. */
const KEPT_EVENTS = ['message', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Listener = (...args: unknown[]) => void
type Emit = (this: unknown, event: string | symbol, ...args: unknown[]) => boolean

/** Without a listener Node keeps messages back, and the kernel's default action for signals is to kill. */
const keepDelivering: Listener = () => {}

let passSignals = false

export function interceptProcessEvents(hooks: ProcessHooks): void {
  const emitToAll = process.emit as unknown as Emit
  const intercept: Emit = function (event, ...args) {
    if (isHandled(event, args, hooks)) return true
    return Reflect.apply(emitToAll, this, [event, ...args])
  }
  process.emit = intercept as unknown as typeof process.emit
  for (const event of KEPT_EVENTS) process.on(event, keepDelivering)
}

function isHandled(event: string | symbol, args: readonly unknown[], hooks: ProcessHooks): boolean {
  switch (event) {
    case 'message':
      return hooks.onMessage(args[0], args[1])
    case 'SIGINT':
    case 'SIGTERM':
      return !passSignals
    case 'disconnect':
      hooks.onDisconnect()
      return false
    case 'beforeExit':
      hooks.onBeforeExit()
      return false
    case 'exit':
      hooks.onExit()
      return false
    case 'removeListener':
      if (args[1] === keepDelivering) stayDelivering(args[0] as string)
      return false
    default:
      return false
  }
}

/** `process.removeAllListeners()` by the app must not make the worker deaf. */
function stayDelivering(event: string): void {
  process.nextTick(() => process.on(event, keepDelivering))
}

/** The signal that the app listens for in order to end; SIGINT is what PM2 sends. Null if it does not. */
export function endSignalOfApp(): FollowedSignal | null {
  const hears = (signal: FollowedSignal): boolean => process.listeners(signal).some((listener) => listener !== keepDelivering)
  return (['SIGTERM', 'SIGINT'] as const).find(hears) ?? null
}

/** Calls the app's listeners as a signal from outside would. Throws what a listener throws. */
export function emitToApp(signal: FollowedSignal): void {
  passSignals = true
  try {
    Reflect.apply(process.emit, process, [signal, signal, constants.signals[signal]])
  } finally {
    passSignals = false
  }
}
