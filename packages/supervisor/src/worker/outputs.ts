/** Errors of a stream whose reader went away: a pipe that was closed, a terminal that was shut. */
const READER_IS_GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'])

/**
 * Under plain Node the next line that an app logs after `node app.js | head` ends it. In a fleet that would be a crash loop of all
 * workers, for a log that nobody reads; and an orphan could not answer what it has. So lines without a reader are lost, and no more.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Any other error ends the app as it would without us, unless the app listens for it.
      if (!READER_IS_GONE.has(error.code) && stream.listenerCount('error') === 1) throw error
    })
  }
}
