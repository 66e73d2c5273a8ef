import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The tests with real processes run the built command, as users do; so what they test must be what is in `src`. */
export function setup(): void {
  const script = fileURLToPath(new URL('./scripts/run.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [script, 'build'], { stdio: 'inherit' })
  if (status !== 0) throw new Error('The supervisor could not be built; the tests of real processes need it.')
}
