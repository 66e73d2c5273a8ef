import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createBackendWatch } from '../../packages/supervisor/src/primary/backend-watch.ts'
import { until } from '../processes/harness/until.ts'
import { openJudge } from './judge.ts'

test('a supervisor asks over one connection, also when it is asked twice at once', async () => {
  const judge = await openJudge()
  const watch = createBackendWatch({
    url: judge.url,
    prefix: 'stationmaster 0123456789ab worker ',
    entry: fileURLToPath(import.meta.url),
    terminateOrphans: false,
    warn: (sentence) => expect.fail(sentence),
  })
  try {
    // The question about workers waits a little before it connects; the others come while it does.
    const seen = Promise.withResolvers<unknown>()
    watch?.ask([], { nowMs: () => performance.now() }, seen.resolve)
    const asked = Array.from({ length: 5 }, () => watch?.census())
    await Promise.all([...asked, seen.promise])
    expect(await judge.count()).toBe(1)
    watch?.close()
    await until('no connection left', async () => (await judge.count()) === 0)
  } finally {
    watch?.close()
    await judge.close()
  }
})
