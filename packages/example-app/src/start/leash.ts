import cluster from 'node:cluster'

// Preloaded into the supervisor. Its stdin is a pipe from start.ts that closes when start.ts dies, even by SIGKILL; the fleet then drains
// as after a SIGTERM, instead of going on without its databases.
if (cluster.isPrimary) {
  process.stdin.once('close', () => process.kill(process.pid, 'SIGTERM'))
  process.stdin.on('error', () => {})
  process.stdin.resume()
  // Only a watch: it must not keep the supervisor alive.
  ;(process.stdin as { unref?: () => void }).unref?.()
}
