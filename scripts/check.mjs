// Everything that can be said of the code without running it. Every check runs, so that one failure does not hide another.
import { spawnSync } from 'node:child_process'

const checks = [
  ['types of the supervisor', 'tsc', '-p', 'packages/supervisor'],
  ['types of the example app', 'tsc', '-p', 'packages/example-app'],
  ['types of the tests', 'tsc', '-p', 'test'],
  ['types of the benchmarks', 'tsc', '-p', 'bench'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['format', 'biome', 'ci', '--colors=off'],
  ['unused code', 'knip'],
  ['option table of the README', 'node', 'scripts/write-options.ts', '--check'],
  ['package', 'publint', '--pack', 'npm', 'packages/supervisor'],
  ['package types', 'attw', '--profile', 'esm-only', '--pack', 'packages/supervisor'],
]
const only = process.argv.slice(2)
const failed = []
for (const [name, command, ...args] of checks) {
  if (only.length > 0 && !only.includes(command)) continue
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}`)
  if (status !== 0) failed.push(name)
}
if (failed.length > 0) {
  console.error(`${failed.length} of ${checks.length} checks failed: ${failed.join(', ')}`)
  process.exitCode = 1
}
