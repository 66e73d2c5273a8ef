import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const BROKEN = fileURLToPath(new URL('./fixtures/broken.ts', import.meta.url))

test('a bug inside drains what serves, ends with code 1 and its stack, and does not hang', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [BROKEN], { timeout: 15_000, killSignal: 'SIGKILL' })
  const end = JSON.parse(stdout) as { code: number; message: string; notes: string[]; workers: number }
  expect(end).toMatchObject({ code: 1, workers: 0 })
  expect(end.message).toMatch(/please report this.*the calendar is broken/)
  expect(end.message).toContain('scaling.ts')
  expect(end.notes.filter((kind) => kind === 'worker:drained')).toHaveLength(2)
})
