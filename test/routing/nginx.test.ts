import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { freePort, isListening } from '../processes/harness/leftovers.ts'
import { it } from '../processes/harness.ts'
import { until, within } from '../processes/harness/until.ts'
import { Pollers, startPolling } from './harness/pollers.ts'

const NGINX = process.env['NGINX_PATH'] as string
const CLIENTS = 50
/** Every connection to us has carried requests of many clients by then, and nginx has given up and opened many. */
const MINUTE_MS = 60_000

const configOf = (port: number, upstream: number): string => `
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events { worker_connections 1024; }
http {
  log_format uri '$status $request_uri';
  access_log access.log uri;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  upstream app { server 127.0.0.1:${upstream}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
  }
}
`

describe('behind nginx, whose connections many clients share', () => {
  it('knows every session for a minute, and keeps connections alive', { timeout: 180_000 }, async ({ stage }) => {
    const { station, lines } = await startPolling(stage, 4, 4)
    const folder = path.join(stage.folder, 'nginx')
    await mkdir(path.join(folder, 'tmp'), { recursive: true })
    const port = await freePort()
    await writeFile(path.join(folder, 'nginx.conf'), configOf(port, station.port))
    const nginx = spawn(NGINX, ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'inherit' })
    try {
      await until('nginx to listen', async () => await isListening({ host: '127.0.0.1', port }))
      const connectionsBefore = (await lines()).filter((line) => line.includes(' connection ')).length
      const pollers = new Pollers(port, CLIENTS)
      for (const endAtMs = performance.now() + MINUTE_MS; performance.now() < endAtMs; ) await pollers.answers(20)
      expect(new Set(pollers.workers).size).toBeGreaterThan(1)
      // Before they leave: a poll that is on its way while its own client ends the session is rightly told that nobody knows it.
      expect((await lines()).filter((line) => line.includes(' error '))).toEqual([])
      const requests = (await readFile(path.join(folder, 'access.log'), 'utf8')).trimEnd().split('\n')
      expect(requests.filter((line) => !/^(200|499) /.test(line))).toEqual([])
      const connections = (await lines()).filter((line) => line.includes(' connection ')).length - connectionsBefore
      // nginx keeps 16 of the connections that 50 clients need at a time; without keep-alive it would be 1.
      expect(requests.length / connections).toBeGreaterThan(1.3)
      await pollers.stop()
    } finally {
      nginx.kill('SIGQUIT')
      await within('the end of nginx', once(nginx, 'exit'))
    }
  })
})
