import net from 'node:net'

/** How to reach the worker that is to have a request. */
export interface Way {
  /** Ways of the same name lead to the same worker. */
  readonly name: string
  /** What a connection emits as soon as the worker, or the kernel for it, has taken it. */
  readonly taken: 'connect' | 'secureConnect'
  /** A connection that can be written to at once. An error that comes before it was taken has a `syscall`: nobody has read anything. */
  open(options: { readonly allowHalfOpen: boolean }): net.Socket
}

/** To a worker of this replica. */
export function wayThrough(socketPath: string): Way {
  return { name: socketPath, taken: 'connect', open: ({ allowHalfOpen }) => net.connect({ path: socketPath, allowHalfOpen }) }
}
