import { readFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { within } from '../processes/harness/until.ts'
import { RawClient } from '../worker/harness.ts'
import { startPolling } from './harness/pollers.ts'
import { startServers } from './harness/servers.ts'

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'
const long = HIDDEN.length
/** For three workers: some are answered by whoever accepts them, others are forwarded. */
const SIDS = Array.from({ length: 8 }, (_, index) => `client-${index}`)

type Header = readonly [name: string, value: string]

/** Fields of a request over HTTP/2 that would end it early, or begin another, if they were repeated as they are over HTTP/1. */
const VECTORS: readonly (readonly [name: string, fields: readonly Header[]])[] = [
  ['a length that is too short', [['content-length', '0']]],
  ['a length that is too long', [['content-length', String(long + 100)]]],
  [
    'two lengths',
    [
      ['content-length', '0'],
      ['content-length', String(long)],
    ],
  ],
  ['chunks', [['transfer-encoding', 'chunked']]],
  ['a line end in a value', [['x-some', `a\r\n\r\n${HIDDEN}`]]],
  ['a line feed in a value', [['x-some', 'a\ntransfer-encoding: chunked']]],
  ['a line end in a name', [[`x-some: a\r\n\r\n${HIDDEN}`, 'b']]],
  ['a line end in the path', [[':path', `/carrier HTTP/1.1\r\nHost: x\r\n\r\n${HIDDEN}`]]],
  ['a line end in the method', [[':method', `GET / HTTP/1.1\r\nHost: x\r\n\r\n${HIDDEN}POST`]]],
]

const [DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY] = [0, 1, 3, 4, 7]
const [END_STREAM, END_HEADERS] = [1, 4]

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Literal fields, as they are: Node's own client would refuse them. All are shorter than 127 bytes. */
const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')])
const fieldsOf = (headers: readonly Header[]): Buffer =>
  Buffer.concat(headers.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]))

/** One request whose body is a hidden one, on a connection of its own; what came of it: an answer, a refusal of it or of the connection. */
async function send(port: number, sid: string, fields: readonly Header[]): Promise<'answered' | 'refused'> {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const usual: Header[] = [
    [':method', 'POST'],
    [':path', '/carrier'],
    [':scheme', 'http'],
    [':authority', 'x'],
  ]
  const headers = [
    ...usual.map(([name, value]): Header => fields.find(([other]) => other === name) ?? [name, value]),
    ['cookie', `sid=${sid}`] as const,
  ]
  const others = fields.filter(([name]) => !name.startsWith(':'))
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)))
  socket.write(frame(HEADERS, END_HEADERS, 1, fieldsOf([...headers, ...others])))
  socket.write(frame(DATA, END_STREAM, 1, Buffer.from(HIDDEN)))
  return await outcomeOn(socket).catch(() => 'refused')
}

async function outcomeOn(socket: net.Socket): Promise<'answered' | 'refused'> {
  let heard = Buffer.alloc(0)
  for await (const chunk of socket) {
    heard = Buffer.concat([heard, chunk as Buffer])
    while (heard.length >= 9 && heard.length >= 9 + heard.readUIntBE(0, 3)) {
      const [type, stream] = [heard.readUInt8(3), heard.readUInt32BE(5)]
      heard = heard.subarray(9 + heard.readUIntBE(0, 3))
      if (type === HEADERS && stream === 1) return 'answered'
      if ((type === RST_STREAM && stream === 1) || type === GOAWAY) return 'refused'
    }
  }
  return 'refused'
}

describe('a request that hides another', () => {
  it('is one request or none where it comes over HTTP/2 and is forwarded over HTTP/1', async ({ stage }) => {
    const file = path.join(stage.folder, 'runs')
    const station = await startServers(stage, 'h2c', { RUNS: file })
    const { port } = station
    const outcomes = new Map<string, Set<string>>()
    for (const [name, fields] of VECTORS) {
      const those = SIDS.map(async (sid) => await within(`an end of ${name}`, send(port, sid, fields)))
      outcomes.set(name, new Set(await Promise.all(those)))
    }
    // Fields that cannot be are left out or refused, as the version of Node likes it; bodies that are not as long as they say are refused.
    for (const name of ['a length that is too short', 'a length that is too long'])
      expect([name, ...(outcomes.get(name) ?? [])]).toEqual([name, 'refused'])
    // What is well said is answered, by all workers, on whatever connections there are between them.
    for (const sid of SIDS) expect(await within('an answer', send(port, sid, [[':path', '/after']]))).toBe('answered')
    expect(await station.status()).toMatchObject({ restarts: { total: 0 } })
    const runs = (await readFile(file, 'utf8')).trimEnd().split('\n')
    const after = runs.filter((line) => line.endsWith(' /after'))
    expect(after).toHaveLength(SIDS.length)
    expect(new Set(after).size).toBeGreaterThan(1)
    expect(runs.filter((line) => !/^\d+ \/(carrier|after)$/.test(line))).toEqual([])
  })

  it('is refused or is one request where it belongs to a Socket.IO session, with whoever has it', async ({ stage }) => {
    const { station, lines } = await startPolling(stage, 2, 2)
    const { port } = station
    for (const [name, fields] of [
      ['a length and chunks', `Content-Length: ${long + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
      ['two lengths', `Content-Length: 0\r\nContent-Length: ${long}\r\n\r\n${HIDDEN}`],
      ['a length', `Content-Length: ${long}\r\n\r\n${HIDDEN}`],
    ] as const) {
      const owners = new Set<boolean>()
      while (owners.size < 2) {
        const client = new RawClient(port)
        client.say('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        await within('who has the connection', client.hears('\r\n\r\n'))
        const sid = await openSession(port)
        owners.add(client.heard.endsWith(String(Number.parseInt(sid, 36))))
        client.heard = ''
        client.say(`POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\n${fields}`)
        await within(`an answer to ${name}`, client.hears('HTTP/1.1 '))
        client.socket.destroy()
      }
    }
    for (let i = 0; i < 8; i++) await openSession(port)
    expect((await lines()).filter((line) => line.endsWith(' hidden'))).toEqual([])
  })
})

async function openSession(port: number): Promise<string> {
  const client = new RawClient(port)
  client.say('GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n')
  await within('a session', client.hears('}'))
  client.socket.destroy()
  return /"sid":"([^"]+)"/.exec(client.heard)?.[1] ?? ''
}
