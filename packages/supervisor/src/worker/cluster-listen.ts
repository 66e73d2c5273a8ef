import cluster from 'node:cluster'
import { getSystemErrorName } from 'node:util'
import type { EventEmitter } from 'node:events'
import type { Channel } from './channel.ts'
import type { GetServer } from './internals.ts'
import { addressOf } from './listen-address.ts'

/**
 * Node's own round robin, as it is, with two things that it lacks: an app that listens on nothing may end, since only who listens needs the
 * channel to stay; and the primary learns why a `listen()` failed.
 */
export function watchListenOfCluster(channel: Channel): void {
  const inside = cluster as unknown as { _getServer: GetServer }
  const answerOfNode = inside._getServer
  inside._getServer = (server, query, reply) => {
    const release = holdUntilClosed(channel, server as EventEmitter)
    answerOfNode.call(cluster, server, query, (error, ...rest) => {
      if (error) {
        release()
        const { port, host, path } = addressOf(query)
        channel.send({ kind: 'listenFailed', code: getSystemErrorName(error), port, host, path })
      }
      reply(error, ...rest)
    })
  }
}

function holdUntilClosed(channel: Channel, server: EventEmitter): () => void {
  let held = true
  channel.hold()
  const release = (): void => {
    server.off('close', release)
    if (held) channel.release()
    held = false
  }
  server.on('close', release)
  return release
}
