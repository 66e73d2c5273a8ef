import { type ResolveContext, resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import type { Settings } from '../../packages/supervisor/src/config/settings.ts'
import { StationmasterError } from '../../packages/supervisor/src/errors.ts'

export const here: ResolveContext = {
  baseFolder: '/srv/app',
  environment: {},
  capacity: { cpus: 2, memoryBytes: 8e9, source: 'host' },
  isTerminal: true,
}

export function settled(options: object, more: Partial<ResolveContext> = {}): Settings {
  return resolveOptions({ entry: './server.js', ...options }, { ...here, ...more })
}

/** The lines that are told of faulty options, without the headline. Fails if there is no fault. */
export function complaints(raw: unknown, more: Partial<ResolveContext> = {}): string[] {
  try {
    resolveOptions(raw, { ...here, ...more })
  } catch (error) {
    if (!(error instanceof StationmasterError) || error.code !== 'SM_OPTION_INVALID' || error.fault !== 'option') throw error
    const lines = error.message.split('\n').map((line) => line.trim())
    return lines.length === 1 ? lines : lines.slice(1)
  }
  throw new Error('the options were taken for good')
}
