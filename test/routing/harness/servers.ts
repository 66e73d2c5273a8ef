import { fileURLToPath } from 'node:url'
import type { Stage } from '../../processes/harness.ts'
import type { Station } from '../../processes/harness/station.ts'

const entry = fileURLToPath(new URL('../fixtures/servers.mjs', import.meta.url))

/** Three workers that share clients by the cookie `sid`, with a server of this kind. */
export const startServers = (stage: Stage, kind: string, env: Readonly<Record<string, string>> = {}): Promise<Station> =>
  stage.start({ entry, config: { workers: { min: 3, max: 3 }, routing: { sticky: { cookie: 'sid' } } }, env: { KIND: kind, ...env } }, 3)
