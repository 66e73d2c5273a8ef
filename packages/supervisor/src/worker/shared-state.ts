import type { SignalSource } from './app-signals.ts'
import type { DrainHook, Endable } from './clean-up.ts'
import type { SocketIOServer } from './engine-sockets.ts'
import type { LeaseTerms } from './pool.ts'
import type { RedisSettings } from './redis-adapter.ts'

/** What the preload offers to `stationmaster/worker`. The two may come from different copies of the package. */
export interface WorkerFacade {
  ready(): void
  addDrainHook(hook: DrainHook): void
  addPool(pool: Endable): void
  reportSignal(name: string, source: SignalSource): void
  /** Null where nobody limits the database connections. */
  readonly leaseTerms: LeaseTerms | null
  /** Where all replicas meet; null where this one is alone. */
  readonly redis: RedisSettings | null
  /** `load` loads a package that only some apps need: the preload itself brings no such thing along. */
  attachSocketIO(server: SocketIOServer, load: (name: string, neededBy: string) => unknown): void
}

const KEY = Symbol.for('stationmaster.worker.v1')

type Shared = typeof globalThis & { [KEY]?: WorkerFacade }

export function publish(facade: WorkerFacade): void {
  Object.defineProperty(globalThis, KEY, { value: facade })
}

/** Null if nobody supervises this process. */
export function findFacade(): WorkerFacade | null {
  return (globalThis as Shared)[KEY] ?? null
}
