import type { SocketIOServer } from './engine-sockets.ts'
import { loadOptional } from './optional-package.ts'

type Message = Record<string, unknown>

/** As much of the adapter's class as is needed. */
interface Adapter {
  onMessage(message: Message, offset?: string): void
  doPublish(message: Message): Promise<string>
  doPublishResponse(requesterUid: string, response: Message): Promise<void>
  close(): void
}

type AdapterClass = new (namespace: unknown) => Adapter

/** Lets broadcasts reach the clients of all workers of this replica, through the primary. */
export function useClusterAdapter(server: SocketIOServer, scope: string): void {
  const { NodeClusterAdapter } = loadOptional('@socket.io/cluster-adapter', 'attachSocketIO()') as { NodeClusterAdapter: AdapterClass }
  server.adapter(scoped(NodeClusterAdapter, scope) as never)
}

/** Hears only what the same Socket.IO server says in other workers, and lets go of `process` when its namespace is closed. */
function scoped(Base: AdapterClass, scope: string): AdapterClass {
  return class extends Base {
    // The one that the base has just added, and would leave there for ever.
    readonly #listener = process.listeners('message').at(-1)

    override onMessage(message: Message, offset?: string): void {
      if (message['scope'] === scope) super.onMessage(message, offset)
    }

    override doPublish(message: Message): Promise<string> {
      return super.doPublish({ ...message, scope })
    }

    override doPublishResponse(requesterUid: string, response: Message): Promise<void> {
      return super.doPublishResponse(requesterUid, { ...response, scope })
    }

    override close(): void {
      super.close()
      if (this.#listener) process.off('message', this.#listener)
    }
  }
}
