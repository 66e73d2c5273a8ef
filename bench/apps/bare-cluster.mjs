// What people write themselves: Node's cluster with its round robin, and a new worker for each that dies.
// By IPC: `fork` adds one, `shrink` ends the newest.
import cluster from 'node:cluster'

const [entry, count] = process.argv.slice(2)
cluster.setupPrimary({ exec: entry, args: [] })
for (let index = 0; index < Number(count); index++) cluster.fork()

let listening = 0
cluster.on('listening', () => process.send({ kind: 'listening', workers: ++listening }))
cluster.on('exit', (worker) => {
  listening--
  if (worker.exitedAfterDisconnect) process.send({ kind: 'shrunk' })
  else cluster.fork()
})
process.on('message', (message) => {
  if (message.kind === 'fork') cluster.fork()
  else Object.values(cluster.workers).at(-1)?.kill()
})
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
