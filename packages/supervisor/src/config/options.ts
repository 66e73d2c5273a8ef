import type { ScalingOptions } from './options-scaling.ts'

/** `'30s'`, `'5m'`, `'1h'`, `'250ms'`, or a number of milliseconds. */
type Duration = number | string

/** `'512MB'`, `'1GiB'`, or a number of bytes. */
type Size = number | string

/** What people take from `process.env`, for compilers too that tell undefined from absent. */
type Text = string | false | undefined

interface WorkersOptions {
  /** The fleet never shrinks below this many workers. Default 1. */
  min?: number
  /** The fleet never grows beyond this many workers, nor beyond what the CPU and memory of the container carry. Default 10. */
  max?: number
  /** Lifts the limit of one worker per core, to try a large fleet on a laptop. Default false. */
  oversubscribe?: boolean
  /** Booted workers kept ready to be promoted. Default `'auto'`: 1 where memory leaves room, else 0. */
  spares?: 'auto' | number
  /** A worker above it is replaced and drained. Default: container limit × 0.9 / `max`. */
  memoryLimit?: Size
  /** When a worker takes traffic: once it listens, or once the app calls `ready()` or `process.send('ready')`. Default `'listening'`. */
  readyWhen?: 'listening' | 'ready'
  /** A worker that is not ready by then is replaced. Default `'30s'`. */
  bootTimeout?: Duration
}

interface HealthOptions {
  /** A path that is asked of each worker itself. Default: none. */
  path?: string | false
  /** Time between two questions. Default `'30s'`. */
  interval?: Duration
  /** An answer must come within this time. Default `'5s'`, at most `interval`. */
  timeout?: Duration
  /** Failed answers in a row after which a worker is replaced. Default 3. */
  unhealthyThreshold?: number
  /** A worker whose event loop is blocked that long is replaced, after a diagnostic report. Default `'10s'`. */
  stuckAfter?: Duration
}

interface RestartOptions {
  /** Unexpected exits allowed within `window`; beyond it the supervisor stops and exits 1. Default 5. */
  intensity?: number
  /** The time in which exits are counted. Default `'60s'`. */
  window?: Duration
  /** Pause before a crashed worker is replaced; doubles each time. Default `'100ms'`. */
  backoff?: Duration
  /** The pause grows no further than this. Default `'15s'`. */
  backoffMax?: Duration
}

interface RoutingOptions {
  /** How connections reach workers. Default `'shared'`: all accept from one socket. */
  balance?: 'round-robin' | 'shared' | 'reuse-port' | 'least-busy'
  /**
   * What brings Socket.IO sessions to their worker. Default `'own'`. With `'socket.io-sticky'` the package `@socket.io/sticky` does it in the primary, for HTTP without TLS: every connection
   * is closed after one response, the session id has to be in the first segment of a request, proxies must not share connections, and the clients of a worker that hangs wait for it.
   */
  engine?: 'own' | 'socket.io-sticky'
  /** What keeps a client on its worker. Default `'auto'`: `'socket.io'` once `attachSocketIO` is used, else nothing. */
  sticky?: 'auto' | 'socket.io' | false | { cookie: string } | { header: string } | { address: true; trustProxy?: boolean }
  /** Asks the surplus of the fullest workers' WebSocket clients to reconnect, a few a second. Default false. */
  rebalance?: boolean
  /** A client is asked to reconnect at most once in this time. Default `'10m'`. */
  rebalanceInterval?: Duration
  /**
   * Proxies that are believed: `'10.0.0.5'`, `'10.0.0.0/8'`, `'loopback'`, `'private'`. Their `X-Request-Start` tells how long requests wait before they
   * get here (the signal `queueTime`); with `sticky: { address: true, trustProxy: true }` their `X-Forwarded-For` tells who is before them. Default none: then
   * `trustProxy` means the proxy next to us, whatever its address.
   */
  trustedProxies?: readonly string[]
}

interface DatabaseOptions {
  /** Connections that all workers of all replicas may hold together. Default: none. */
  budget?: number | false
  /** Connections of the budget that are kept free for people. Default 3. */
  reserve?: number
  /** Connections that a worker needs in order to work at all. Default 2. */
  minPerWorker?: number
  /**
   * Replicas at the same time, at most; count those of an old and a new deployment. With `redis.url` they lend each other connections, else each takes
   * an equal part. Default 1, with `redis.url` 2.
   */
  replicas?: number
  /** End what workers that are gone still run in the database, instead of waiting for it. Default false. */
  terminateOrphans?: boolean
  /** A `postgres://` URL. Default: the environment variable `DATABASE_URL`. */
  url?: Text
}

interface ReplicaOptions {
  /**
   * `'[::]:9470'`: where this replica takes the requests that belong to its workers and came to another replica, on the private network. Needs `redis.url` and
   * `replica.secret`. Default off.
   */
  listen?: Text
  /** `'10.0.0.7:9470'`: where the other replicas reach it, if that is not the address of this machine. Default: found out. */
  address?: Text
  /** At least 32 characters, the same in all replicas. Default: the environment variable `STATIONMASTER_REPLICA_SECRET`. */
  secret?: Text
}

interface CostOptions {
  /** USD a month for one replica. Default 20. */
  perReplicaMonth?: number
  /** USD a month whatever the number of replicas. Default 20. */
  fixedMonth?: number
  /** A simulation, and advice to add replicas, warns when a month would cost more than 150 % of so many USD. Default: none. */
  budgetMonth?: number | false
}

/** Everything that can be configured. Only `entry` is required. */
export interface Options {
  /** For editors of a JSON file; ignored. */
  $schema?: string
  /** The entry point of the app, resolved from the folder of the config file. */
  entry?: string
  /** Arguments for the app. Default none. */
  args?: readonly string[]
  /** Options for Node itself, such as `--enable-source-maps`. Default none. */
  execArgv?: readonly string[]
  /** Environment variables for the app, on top of the supervisor's own. Default none. */
  env?: Readonly<Record<string, string | number | boolean>>
  workers?: WorkersOptions
  scaling?: ScalingOptions
  health?: HealthOptions
  restart?: RestartOptions
  drain?: {
    /** Time for a worker to finish what it has; never beyond the platform's own deadline. Default `'30s'`. */
    timeout?: Duration
  }
  routing?: RoutingOptions
  database?: DatabaseOptions
  redis?: {
    /** The name under which the replicas of this service meet there. Default: the environment variable `RAILWAY_SERVICE_ID`, else `'replicas'`. */
    key?: Text
    /** A `redis://` URL: where replicas meet. Default: the environment variable `REDIS_URL`; without it this replica is alone. */
    url?: Text
  }
  replica?: ReplicaOptions
  control?: {
    /** The Unix socket through which the CLI speaks to the supervisor. Default `'.stationmaster/control.sock'` in the working folder. */
    socket?: string
  }
  admin?: {
    /** `'127.0.0.1:9090'`: where the dashboard, metrics, status, decisions, events and health are served, read-only. Default off. */
    listen?: Text
  }
  journal?: {
    /** Where samples and events are written, for `stationmaster simulate`. Default off. */
    file?: Text
    /** What the journal and the one before it (`.1`) take together. Default `'64MB'`. */
    maxSize?: string | number
  }
  cost?: CostOptions
  /** How log lines look. Default `'pretty'` on a terminal, else `'json'`. */
  log?: 'pretty' | 'json'
  sampling?: {
    /** Time between two looks at every worker, for tests and demonstrations. Default `'1s'`. */
    interval?: Duration
  }
}

/**
 * Gives a config file its types; returns its argument.
 *
 * @example
 * // stationmaster.config.ts
 * export default defineConfig({ entry: './dist/server.js', workers: { min: 1, max: 10 } })
 */
export function defineConfig(options: Options): Options {
  return options
}
