const outlived = new WeakSet<NodeJS.EventEmitter>()

/** Without a listener, a reader of ours that goes away would end the process. One listener serves for all who write there, and stays. */
export function outliveReader(stream: NodeJS.EventEmitter): void {
  if (outlived.has(stream)) return
  outlived.add(stream)
  stream.on('error', () => {})
}
