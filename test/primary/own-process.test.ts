import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { watchZombies } from '../../packages/supervisor/src/primary/own-process.ts'
import { until } from '../processes/harness/until.ts'

const PARENT = fileURLToPath(new URL('./fixtures/zombie-parent.mjs', import.meta.url))

test('processes that nobody buries are told of, once as long as there are not twice as many', async () => {
  const parent = spawn(process.execPath, [PARENT], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(parent.stdout, 'data')
  const look = watchZombies(parent.pid as number)
  const sentence = await until('a zombie that stays', look)
  expect(sentence).toContain('1 ended process is never cleared away, because the supervisor is process 1')
  expect(await look()).toBeNull()
  parent.kill('SIGKILL')
  await once(parent, 'exit')
})

test('a process that buries its own is left in peace', async () => {
  const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(ended, 'exit')
  const look = watchZombies(process.pid)
  expect([await look(), await look()]).toEqual([null, null])
})
