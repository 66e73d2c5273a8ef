import { describe, expect } from 'vitest'
import { StationmasterError } from '../../packages/supervisor/src/errors.ts'
import { decision, status } from './fake-control.ts'
import { RawClient, get, it, post, say } from './harness.ts'

const refused = (message: RegExp) => ({ error: { code: 'SM_REQUEST_INVALID', message: expect.stringMatching(message), fault: 'option' } })

describe('what can be read', () => {
  it('status, decisions and the standing decision', async ({ world }) => {
    await world.open()
    expect(await get(world.path, '/v1/status')).toMatchObject({ status: 200, body: status })
    expect((await get(world.path, '/v1/status')).head).toMatch(/Content-Type: application\/json/i)
    expect((await get(world.path, '/v1/decisions?last=1')).body).toEqual([decision])
    expect((await get(world.path, '/v1/decisions')).body).toHaveLength(2)
    expect((await get(world.path, '/v1/explain')).body).toEqual(decision)
    world.control.standingDecision = null
    expect((await get(world.path, '/v1/explain')).body).toBeNull()
  })

  it.for(['0', '-1', '1001', 'many', '', '1e2', '99999999999999999999'])('refuses last=%s', async (last, { world }) => {
    await world.open()
    expect(await get(world.path, `/v1/decisions?last=${last}`)).toMatchObject({ status: 400, body: refused(/from 1 to 1000/) })
  })
})

describe('what can be asked', () => {
  it('scale, reload and drain, each answered with the sentence of the supervisor', async ({ world }) => {
    await world.open()
    expect(await post(world.path, '/v1/scale', '{"workers":4}')).toMatchObject({ status: 200, body: { ok: true, message: '4 workers are ready' } })
    expect(await post(world.path, '/v1/scale', '{"workers":"auto"}', 'application/json; charset=utf-8')).toMatchObject({ status: 200 })
    expect(await post(world.path, '/v1/reload', '')).toMatchObject({ status: 200, body: { message: expect.stringContaining('generation 2') } })
    expect(await post(world.path, '/v1/workers/12/drain', '{}')).toMatchObject({ status: 200, body: { message: 'worker 12 is draining' } })
    expect(world.control.asked).toEqual(['scale 4', 'scale auto', 'reload', 'drain 12'])
  })

  it('waits for a reload longer than for a request to arrive', async ({ world }) => {
    await world.open()
    const held = Promise.withResolvers<void>()
    world.control.hold = held.promise
    const answer = post(world.path, '/v1/reload', '{}')
    await world.control.wasAsked('reload')
    // A client that sends half a head meanwhile is timed out: proof that more than the time for a request has passed.
    const slow = new RawClient(world.path).say('GET /v1/status HTTP/1.1\r\nHos')
    await slow.closed
    held.resolve()
    expect((await answer).status).toBe(200)
  })

  it.for([
    ['{"workers":0}', /"workers": 0 is not allowed/],
    ['{"workers":-1}', /whole number/],
    ['{"workers":1.5}', /whole number/],
    ['{"workers":"4"}', /"workers": "4" is not allowed/],
    ['{"workers":null}', /is not allowed/],
    ['{}', /has no "workers"/],
    ['[]', /has no "workers"/],
    ['null', /has no "workers"/],
    ['', /has no "workers"/],
    ['{"workers":', /not valid JSON/],
    ['workers=4', /not valid JSON/],
    ['\u0000', /not valid JSON/],
  ] as const)('refuses to scale with the body %s', async ([body, message], { world }) => {
    await world.open()
    expect(await post(world.path, '/v1/scale', body)).toMatchObject({ status: 400, body: refused(message) })
    expect(world.control.asked).toEqual([])
  })

  it.for(['application/json; charset=utf-8', 'application/x-www-form-urlencoded', ''])(
    'takes a body of the content type "%s"',
    async (type, { world }) => {
      await world.open()
      expect(await post(world.path, '/v1/scale', '{"workers":4}', type)).toMatchObject({ status: 200 })
      expect(world.control.asked).toEqual(['scale 4'])
    },
  )

  it('reloads and drains at a bare POST', async ({ world }) => {
    await world.open()
    const bare = (url: string): string => `POST ${url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
    expect(await say(world.path, bare('/v1/reload'))).toMatchObject({ status: 200 })
    expect(await say(world.path, bare('/v1/workers/7/drain'))).toMatchObject({ status: 200 })
    expect(world.control.asked).toEqual(['reload', 'drain 7'])
  })

  it.for(['http://evil.example', 'null'])('refuses a web page of the origin %s', async (origin, { world }) => {
    await world.open()
    const request = `POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nOrigin: ${origin}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
    expect(await say(world.path, request)).toMatchObject({ status: 403, body: refused(/Web pages/) })
    expect(world.control.asked).toEqual([])
  })

  it.for(['x', '1x', '-1', '%31', '1.5', '9'.repeat(30)])('refuses the worker id %s', async (id, { world }) => {
    await world.open()
    expect(await post(world.path, `/v1/workers/${id}/drain`, '{}')).toMatchObject({ status: 400, body: refused(/no worker id/) })
  })

  it.for([
    [new StationmasterError('SM_RELOAD_FAILED', 'application', 'It did not come up.'), 500],
    [new StationmasterError('SM_RELOAD_BUSY', 'environment', 'One is under way.'), 409],
    [new StationmasterError('SM_WORKER_UNKNOWN', 'option', 'There is none.'), 404],
    [new StationmasterError('SM_STOPPING', 'environment', 'It stops.'), 503],
  ] as const)('passes on why the supervisor refuses: %s', async ([error, code], { world }) => {
    await world.open()
    world.control.refuse = error
    const { status: got, body } = await post(world.path, '/v1/reload', '{}')
    expect(got).toBe(code)
    expect(body).toEqual({ error: { code: error.code, message: error.message, fault: error.fault } })
  })

  it('keeps an error that is none of ours to its log', async ({ world }) => {
    await world.open()
    world.control.refuse = new TypeError('secret detail')
    const { status: got, body } = await post(world.path, '/v1/reload', '{}')
    expect(got).toBe(500)
    expect(body).toMatchObject({ error: { code: 'SM_INTERNAL', fault: 'bug' } })
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(world.log.lines.join()).toContain('secret detail')
  })
})

describe('what is not there', () => {
  it.for(['/', '/v1', '/v1/statusx', '/v1/status/', '//v1/status', '/v1/workers//drain', '/metrics', '/livez', '/v1/../etc/passwd'])(
    '404 for %s',
    async (url, { world }) => {
      await world.open()
      expect(await get(world.path, url)).toMatchObject({ status: 404, body: refused(/There is no/) })
    },
  )

  it.for([
    ['POST', '/v1/status', 'GET'],
    ['DELETE', '/v1/events', 'GET'],
    ['GET', '/v1/scale', 'POST'],
    ['PUT', '/v1/reload', 'POST'],
    ['OPTIONS', '/v1/workers/1/drain', 'POST'],
  ] as const)('405 for %s %s', async ([method, url, allowed], { world }) => {
    await world.open()
    const answer = await say(world.path, `${method} ${url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    expect(answer).toMatchObject({ status: 405, body: refused(new RegExp(`use ${allowed}`)) })
    expect(answer.head).toMatch(new RegExp(`^Allow: ${allowed}$`, 'im'))
  })
})

describe('limits', () => {
  it('a body that is too large, announced or not', async ({ world }) => {
    await world.open()
    const large = JSON.stringify({ workers: 4, padding: 'x'.repeat(70_000) })
    expect(await post(world.path, '/v1/scale', large)).toMatchObject({ status: 413, body: refused(/larger than 65536 bytes/) })
    const head =
      'POST /v1/scale HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    const chunked = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`
    expect(await say(world.path, head + chunked)).toMatchObject({ status: 413 })
    expect(world.control.asked).toEqual([])
  })

  it('a body that never ends, a head that never ends, and a client that says nothing are all closed', async ({ world }) => {
    await world.open()
    const head = 'POST /v1/scale HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n'
    const clients = [`${head}{"wor`, 'GET /v1/status HTTP/1.1\r\nHost: loc', ''].map((said) => new RawClient(world.path).say(said))
    await Promise.all(clients.map((client) => client.closed))
    expect(clients[0]?.heard).toMatch(/^HTTP\/1\.1 408 /)
    expect(clients[1]?.heard).toMatch(/^HTTP\/1\.1 408 /)
    expect(world.control.asked).toEqual([])
    expect(world.log.lines).toEqual([])
  })

  it('the seventeenth connection is closed at once, and there is room again when one leaves', async ({ world }) => {
    await world.open()
    const streams = Array.from({ length: 16 }, () => new RawClient(world.path).say('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n'))
    await Promise.all(streams.map((client) => client.hears('welcome')))
    const extra = new RawClient(world.path)
    await extra.closed
    expect(extra.heard).toBe('')
    streams[0]?.socket.destroy()
    await world.control.hasListeners(15)
    expect((await get(world.path, '/v1/status')).status).toBe(200)
    for (const client of streams) client.socket.destroy()
    await world.control.hasListeners(0)
  })

  it.for([
    ['garbage', '\u0001\u0002garbage\r\n\r\n', 400],
    ['no host', 'GET /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a head of 20 KB', `GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
  ] as const)('%s is refused', async ([, request, code], { world }) => {
    await world.open()
    expect((await say(world.path, request)).status).toBe(code)
    expect((await get(world.path, '/v1/status')).status).toBe(200)
  })

  it('a client that leaves in the middle of its request is forgotten', async ({ world }) => {
    await world.open()
    const client = new RawClient(world.path).say(
      'POST /v1/scale HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    )
    client.socket.end()
    await client.closed
    expect((await get(world.path, '/v1/status')).status).toBe(200)
    expect(world.log.lines).toEqual([])
  })
})
