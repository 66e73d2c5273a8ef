import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const serverFile = fileURLToPath(new URL('../../packages/example-app/src/server.ts', import.meta.url))

export type AppServer = { readonly url: string; readonly process: ChildProcess; output(): string; stop(): Promise<number | null> }

/** The example app as a process of its own, under plain Node. */
export async function startApp(env: Readonly<Record<string, string>>): Promise<AppServer> {
  const port = await freePort()
  const child = spawn(process.execPath, [serverFile], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const url = `http://127.0.0.1:${port}`
  await until(`the app answers at ${url}`, () => {
    if (child.exitCode !== null) throw new Error(`the app ended: ${output}`)
    return fetch(`${url}/health`)
      .then((response) => response.ok)
      .catch(() => false)
  })
  return {
    url,
    process: child,
    output: () => output,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      return child.exitCode
    },
  }
}

export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
