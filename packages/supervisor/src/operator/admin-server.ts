import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { AddressInfo } from 'node:net'
import { StationmasterError } from '../errors.ts'
import type { Control, Logger, Metrics } from '../primary/ports.ts'
import { createApi } from './api-server.ts'
import { text } from './answer.ts'
import { type Dashboard, type DashboardSettings, createDashboard } from './dashboard/dashboard.ts'
import { checkHost } from './host-check.ts'
import { type Route, readRoutes } from './routes.ts'

/** Scrapers, probes and a few people looking on. */
const MAX_CONNECTIONS = 64

export interface AdminServerOptions {
  readonly host: string
  /** 0 takes any that is free. */
  readonly port: number
  readonly control: Control
  readonly metrics: Metrics
  /** What the dashboard shows beside the status. */
  readonly settings: DashboardSettings
  readonly log: Logger
}

export interface AdminServer {
  /** `http://127.0.0.1:9000` */
  readonly url: string
  close(): Promise<void>
}

const adminRoutes = (metrics: Metrics, dashboard: Dashboard): readonly Route[] => [
  ...readRoutes,
  { method: 'GET', path: /^\/livez$/, answer: () => text('ok') },
  {
    method: 'GET',
    path: /^\/readyz$/,
    answer(_, control) {
      const { state, fleet } = control.status()
      const ready = state === 'running' && fleet.ready > 0
      return text(`${state}, ${fleet.ready} of ${fleet.target} workers ready`, ready ? 200 : 503)
    },
  },
  {
    method: 'GET',
    path: /^\/metrics$/,
    async answer({ accept }) {
      return { status: 200, ...(await metrics.render(accept.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus')) }
    },
  },
  { method: 'GET', path: /^\/$/, answer: () => dashboard.page() },
]

/**
 * Serves what may be read, and nothing that changes the fleet, over TCP.
 * Throws SM_PORT_IN_USE or SM_LISTEN_REFUSED when it cannot listen there.
 */
export async function openAdminServer({ host, port, control, metrics, settings, log }: AdminServerOptions): Promise<AdminServer> {
  const guard = (request: Parameters<typeof checkHost>[0]) => checkHost(request, host)
  const dashboard = createDashboard(control, settings)
  const api = createApi({ routes: adminRoutes(metrics, dashboard), control, log, maxConnections: MAX_CONNECTIONS, guard })
  try {
    // `exclusive` keeps the port out of the hands of workers.
    api.server.listen({ host, port, exclusive: true })
    await once(api.server, 'listening')
  } catch (error) {
    dashboard.close()
    throw cannotListen(host, port, error as NodeJS.ErrnoException)
  }
  const { port: bound } = api.server.address() as AddressInfo
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${bound}`,
    async close() {
      dashboard.close()
      await api.close()
    },
  }
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): StationmasterError {
  const where = `The admin server cannot listen on ${host}:${port}`
  if (cause.code !== 'EADDRINUSE')
    return new StationmasterError('SM_LISTEN_REFUSED', 'environment', `${where} (${cause.code}); choose another place with --admin.`, { cause })
  return new StationmasterError('SM_PORT_IN_USE', 'environment', `${where}: the port is taken. Choose another with --admin.`, { cause })
}
