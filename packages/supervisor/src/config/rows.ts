import { PRICE_LIST } from '../policy/cost.ts'
import {
  amount,
  anyNumber,
  anyOf,
  as,
  checked,
  duration,
  exactly,
  fields,
  listOf,
  mapOf,
  oneOf,
  optional,
  orFalse,
  size,
  text,
  trueOrFalse,
  wholeNumber,
} from './kind.ts'
import type { Kind } from './kind.ts'
import { hostAndPort } from './address.ts'
import { networks } from './networks.ts'
import type { AppValues, Rows, Sticky, SurroundingValues } from './values.ts'

// biome-ignore lint: NUL is what these patterns keep out.
const WITHOUT_NUL = /^[^\0]*$/
const pathKind = (what: string): Kind<string> => text(what, /^[^\0]+$/)
const argument = text('a text without NUL', WITHOUT_NUL, 131_072)
const texts = listOf('a list of at most 1000 texts, such as ["--verbose"]', argument, 1000)

/** Names that the supervisor itself sets for each worker. */
const RESERVED = 'STATIONMASTER_'
const variableName = checked(text('the name of an environment variable, such as LOG_LEVEL', /^[A-Za-z_][A-Za-z0-9_]*$/, 256), (name) =>
  name.startsWith(RESERVED) ? `another name: the supervisor sets ${RESERVED}… itself` : null,
)
const variable = as(anyOf('a text or a number', argument, anyNumber, trueOrFalse), String)

export const appRows: Rows<AppValues> = {
  entry: {
    kind: pathKind('the path of the file that starts your server, such as "./dist/server.js"'),
    shown: 'required',
    meaning: 'The entry point of the app, resolved from the folder of the config file',
  },
  args: { kind: texts, initial: [], meaning: 'Arguments for the app', flag: '--' },
  execArgv: { kind: texts, initial: [], meaning: 'Options for Node itself, such as `--enable-source-maps`' },
  env: {
    kind: mapOf('an object of environment variables, such as { LOG_LEVEL: "debug" }', variableName, variable),
    initial: {},
    meaning: "Environment variables for the app, on top of the supervisor's own",
    secret: true,
  },
}

const sessionName = (what: string): Kind<string> => text(what, /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 256)

const sticky: Kind<Sticky> = anyOf(
  '"auto", "socket.io", false, { cookie: "name" }, { header: "name" } or { address: true, trustProxy: true }',
  oneOf('auto', 'socket.io'),
  exactly(false),
  fields<{ cookie: string }>('an object with cookie', { cookie: sessionName('the name of a cookie') }),
  fields<{ header: string }>('an object with header', { header: sessionName('the name of a header') }),
  as(
    fields<{ address: true; trustProxy: boolean | undefined }>('an object with address', {
      address: exactly(true),
      trustProxy: optional(trueOrFalse),
    }),
    ({ trustProxy }) => ({ address: true as const, trustProxy: trustProxy ?? false }),
  ),
)

const usd = amount(0, 1_000_000, 'an amount of USD from 0 to 1000000')

export const surroundingRows: Rows<SurroundingValues> = {
  'routing.balance': {
    kind: oneOf('shared', 'round-robin', 'reuse-port', 'least-busy'),
    initial: 'shared',
    meaning: 'How connections reach workers: from one shared socket, or dealt out by the primary, the kernel, or load',
  },
  'routing.engine': {
    kind: oneOf('own', 'socket.io-sticky'),
    initial: 'own',
    meaning:
      'What brings Socket.IO sessions to their worker: forwarding of our own, or the package `@socket.io/sticky`, which closes every connection after one response (its other limits: "Which worker answers")',
  },
  'routing.sticky': {
    kind: sticky,
    initial: 'auto',
    meaning: 'What keeps a client on its worker; `auto` is `socket.io` once `attachSocketIO` is used, else nothing',
  },
  'routing.trustedProxies': {
    kind: networks,
    initial: [],
    meaning:
      'Proxies that are believed: addresses, networks, `loopback`, `private`; their `X-Request-Start` tells how long requests wait before they get here, and with `sticky: { address: true, trustProxy: true }` their `X-Forwarded-For` who is before them',
  },
  'routing.rebalance': {
    kind: trueOrFalse,
    initial: false,
    meaning: "Asks the surplus of the fullest workers' WebSocket clients to reconnect, a few a second, so that new workers get their share",
  },
  'routing.rebalanceInterval': {
    kind: duration('1s', '1d'),
    initial: '10m',
    meaning: 'A client is asked to reconnect at most once in this time',
  },
  'database.budget': {
    kind: orFalse(wholeNumber(1, 100_000)),
    shown: 'none',
    meaning: 'Database connections that all workers of all replicas may hold together',
  },
  'database.reserve': { kind: wholeNumber(0, 100_000), initial: 3, meaning: 'Connections of the budget that are kept free for people' },
  'database.minPerWorker': { kind: wholeNumber(1, 10_000), initial: 2, meaning: 'Connections that a worker needs in order to work at all' },
  'database.replicas': {
    kind: wholeNumber(1, 1000),
    shown: '1, with `redis.url` 2',
    meaning:
      'Replicas at the same time, at most; count those of an old and a new deployment. With `redis.url` they lend each other connections and each is sure of what its smallest fleet needs; else each takes an equal part',
  },
  'database.terminateOrphans': {
    kind: trueOrFalse,
    initial: false,
    meaning: 'End what workers that are gone still run in the database, instead of waiting for it',
  },
  'database.url': {
    kind: orFalse(text('a URL such as postgres://user:password@host:5432/name', /^postgres(ql)?:\/\/[^\s\0]+$/)),
    shown: 'DATABASE_URL',
    meaning: 'Where the database is',
    environment: 'DATABASE_URL',
    ignoresForeign: true,
    secret: true,
  },
  'redis.url': {
    kind: orFalse(text('a URL such as redis://host:6379', /^rediss?:\/\/[^\s\0]+$/)),
    shown: 'REDIS_URL',
    meaning: 'Where replicas meet; without it this replica is alone',
    environment: 'REDIS_URL',
    secret: true,
  },
  'redis.key': {
    kind: orFalse(text('a name of letters, digits and . _ : -, such as "shop"', /^[\w.:-]{1,128}$/)),
    shown: 'RAILWAY_SERVICE_ID, else "replicas"',
    meaning:
      'The name under which the replicas of this service meet there; services that share a Redis need one each. Where it is given, it stands before the names that Socket.IO uses in Redis, too',
  },
  'replica.listen': {
    kind: orFalse(hostAndPort),
    shown: 'off',
    meaning:
      'Where this replica takes the requests that belong to its workers and came to another replica, on the private network; `[::]:9470` is all of its addresses',
  },
  'replica.address': {
    kind: orFalse(hostAndPort),
    shown: 'found out',
    meaning: 'Where the other replicas reach `replica.listen`, if that is not the address of this machine',
  },
  'replica.secret': {
    kind: orFalse(text('a text of at least 32 characters that nobody guesses, such as `openssl rand -base64 32` prints', /^[^\0]{32,1024}$/)),
    shown: 'STATIONMASTER_REPLICA_SECRET',
    meaning: "The same in all replicas: by it they know each other and each other's sessions",
    environment: 'STATIONMASTER_REPLICA_SECRET',
    secret: true,
  },
  'control.socket': {
    kind: pathKind('the path of a socket, such as ".stationmaster/control.sock"'),
    initial: '.stationmaster/control.sock',
    meaning: 'The Unix socket through which the CLI speaks to the supervisor; the default is seen from the working folder',
    flag: '--control',
  },
  'admin.listen': {
    kind: orFalse(hostAndPort),
    shown: 'off',
    meaning: 'Where the dashboard, metrics, status, decisions, events and health are served, read-only',
    flag: '--admin',
  },
  'journal.file': {
    kind: orFalse(pathKind('the path of a file, such as ".stationmaster/journal.jsonl"')),
    shown: 'off',
    meaning: 'Where samples and events are written, for `simulate`; readable by its owner only',
  },
  'journal.maxSize': { kind: size('1MB', '100GB'), initial: '64MB', meaning: 'What the journal and the one before it (`.1`) take together' },
  'cost.perReplicaMonth': { kind: usd, initial: PRICE_LIST.replica, meaning: 'What a replica costs a month, in USD' },
  'cost.fixedMonth': {
    kind: usd,
    initial: PRICE_LIST.database + PRICE_LIST.redis,
    meaning: 'What is paid a month whatever the number of replicas, in USD: a database and a Redis, 10 each, unless you say otherwise',
  },
  'cost.budgetMonth': {
    kind: orFalse(usd),
    shown: 'none',
    meaning:
      'What a month may cost, in USD; where replicas that are needed, or those of a simulation, would cost more than 150 % of it, that is said',
  },
  log: { kind: oneOf('pretty', 'json'), shown: '`pretty` on a terminal, else `json`', meaning: 'How log lines look', flag: '--log' },
  'sampling.interval': { kind: duration('100ms', '10s'), initial: '1s', meaning: 'Time between two looks at every worker', hidden: true },
}
