import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { get, it as test, RawClient, start } from './harness.ts'

const doomed = fileURLToPath(new URL('./fixtures/doomed-primary.ts', import.meta.url))

/** A primary with one worker and one spare, and everything that the three say. */
class Family {
  readonly #primary: ChildProcessByStdio<null, Readable, Readable>
  readonly #errors: Promise<string>
  said = ''

  constructor() {
    this.#primary = spawn(process.execPath, ['--no-warnings', doomed], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#errors = text(this.#primary.stderr)
    this.#primary.stdout.setEncoding('utf8').on('data', (part: string) => {
      this.said += part
    })
  }

  async says(what: string): Promise<void> {
    while (!this.said.includes(`${what}\n`)) await once(this.#primary.stdout, 'data')
  }

  async port(): Promise<number> {
    while (!/port \d+\n/.test(this.said)) await once(this.#primary.stdout, 'data')
    return Number(/port (\d+)\n/.exec(this.said)?.[1])
  }

  kill(): void {
    this.#primary.kill('SIGKILL')
  }

  /** All processes that could write are gone: the streams have ended. */
  async gone(): Promise<string[]> {
    await once(this.#primary.stdout, 'close')
    expect(await this.#errors).toBe('')
    return this.said.split('\n').filter((line) => line.startsWith('exit'))
  }
}

const it = test.extend<{ family: Family }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  family: async ({}, use) => {
    const family = new Family()
    await use(family)
    family.kill()
  },
})

const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

describe('a worker whose primary is gone', () => {
  it('answers what it has and exits with 70; so does a spare', async ({ family }) => {
    const port = await family.port()
    const [slow, other] = [new RawClient(port), new RawClient(port)]
    slow.say(ask('/slow'))
    other.say(ask('/first'))
    await other.hears('ok')
    await family.says('/slow')
    family.kill()
    await family.says('disconnected worker')
    other.say(ask('/go'))
    await slow.hears('slow answer')
    expect(slow.heard).toContain('Connection: close')
    expect(await family.gone()).toEqual(['exit 70', 'exit 70'])
  })

  it('exits within its grace although a request is never answered', async ({ family }) => {
    const client = new RawClient(await family.port())
    client.say(ask('/never'))
    await family.says('/never')
    family.kill()
    await client.closed
    expect(await family.gone()).toEqual(['exit 70', 'exit 70'])
  })

  it('does so as soon as its event loop turns again', async ({ family }) => {
    const client = new RawClient(await family.port())
    client.say(ask('/blocks'))
    await family.says('/blocks')
    family.kill()
    await client.hears('ok')
    await client.closed
    expect(await family.gone()).toEqual(['exit 70', 'exit 70'])
  })

  it('may have cut itself off: the same', async ({ primary }) => {
    const worker = await start(primary, 'orphan.mjs')
    expect((await get(primary.port, '/disconnects')).body).toBe('ok')
    expect(await worker.exited).toEqual({ code: 70, signal: null })
  })

  it('is hurried by that in a drain', async ({ primary }) => {
    const worker = await start(primary, 'orphan.mjs')
    const client = new RawClient(primary.port)
    client.say(ask('/slow'))
    await worker.seen('report', ({ report }) => report.queue === 1)
    worker.send({ kind: 'drain', timeoutMs: 600_000, patient: false })
    worker.worker.disconnect()
    expect(await worker.exited).toEqual({ code: 70, signal: null })
    await client.closed
  })
})
