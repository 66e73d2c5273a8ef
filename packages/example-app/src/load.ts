export { type HttpLoad, type HttpLoadOptions, startHttpLoad } from './load/http-load.ts'
export { type SessionLoad, type SessionLoadOptions, type SessionStats, startSessionLoad } from './load/session-load.ts'
export { type SocketLoad, type SocketLoadOptions, type SocketStats, startSocketLoad } from './load/socket-load.ts'
export type { Stats } from './load/tally.ts'
