import { describe, expect, test } from 'vitest'
import { createLogger } from '../../packages/supervisor/src/telemetry/logger.ts'
import { createMask } from '../../packages/supervisor/src/telemetry/mask.ts'
import { collect } from './lines.ts'

const CANARY = 'c4nary-5ecret'

async function logged(format: 'json' | 'pretty', message: string, fields: Record<string, unknown>, environment = {}): Promise<string> {
  const output = collect()
  const logger = createLogger({ format, stream: output.stream, colors: false, environment })
  logger.error(message, fields)
  await logger.flush(5000)
  expect(output.lines).not.toEqual([])
  return output.lines.join('\n')
}

const TEXTS = [
  `cannot reach postgres://app:${CANARY}@db:5432/main`,
  `cannot reach redis://:${CANARY}@cache:6379`,
  `cannot reach postgresql://app:${CANARY}@with-at@db/main, giving up`,
  `{"url":"postgres://app:${CANARY}@db/main"}`,
  `GET /callback?token=${CANARY}&x=1`,
  `connect password=${CANARY} host=db`,
  `{"password":"${CANARY}","user":"app"}`,
  `{ 'api_key': '${CANARY}' }`,
  `Authorization: Bearer ${CANARY}`,
]

const FIELDS = [
  'password',
  'PGPASSWORD',
  'redisPassword',
  'secret',
  'SESSION_SECRET',
  'token',
  'accessToken',
  'apiKey',
  'API_KEY',
  'authorization',
  'set-cookie',
]

describe.each(['json', 'pretty'] as const)('%s', (format) => {
  test.each(TEXTS)('no canary in the text: %s', async (text) => {
    const line = await logged(format, text, { text, deep: { list: [text] }, error: new Error(text) })
    expect(line).not.toContain(CANARY)
    expect(line).toContain('***')
  })

  test.each(['API_TOKEN', 'MY_SECRET', 'PGPASSWORD'])('no canary that stands in the environment as %s, wherever it turns up', async (name) => {
    const line = await logged(format, `the app said ${CANARY}!`, { lastStderrLines: [`x${CANARY}x`], [CANARY]: 1 }, { [name]: CANARY })
    expect(line).not.toContain(CANARY)
    expect(line).toContain('the app said ***!')
  })

  test('no canary that is the password of a URL in the environment', async () => {
    const environment = { DATABASE_URL: `postgres://app:${CANARY}%21@db/main` }
    const line = await logged(format, `wrong: ${CANARY}! and ${CANARY}%21`, {}, environment)
    expect(line).not.toContain(CANARY)
  })
})

test.each(FIELDS)('the field %s is hidden, whatever it holds', async (name) => {
  const line = await logged('json', 'x', { [name]: CANARY, deep: [{ [name]: { inner: CANARY } }], error: { cause: { [name]: [CANARY] } } })
  expect(line).not.toContain(CANARY)
})

test('a secret at the place where a long text is cut is not shown by half', () => {
  const mask = createMask({ TOKEN: CANARY })
  for (let length = 8170; length < 8200; length++) expect(mask.text('x'.repeat(length) + CANARY)).not.toContain('c4n')
})

test('a hostile text takes no time to speak of', () => {
  const mask = createMask({})
  // Any of these would hold up a pattern that tries again at every letter for longer than the test may last.
  for (const part of ['x', 'a://', 'a://b:', 'password=', 'bearer ', ' ', 'a.b-c+', 'a:b@']) {
    for (let round = 0; round < 200; round++) mask.text(part.repeat(30_000))
  }
  expect(mask.text('a://b:c@d')).toBe('a://b:***@d')
}, 30_000)

test('innocent text stays as it is', () => {
  const mask = createMask({ PGPASSWORD: 'postgres', API_TOKEN: 'abc', HOME: '/root/home', EMPTY_SECRET: '', NO_VALUE_TOKEN: undefined })
  const texts = [
    'listening on http://127.0.0.1:3000/a and postgres://db/main',
    'session secret: must be at least 16 characters',
    'worker 3 was ended by SIGKILL (cgroup-oom)',
    'look at /root/home, abc',
  ]
  for (const text of texts) expect(mask.text(text)).toBe(text)
  expect(mask.value({ workerId: 3, passed: 4, key: 'cpu', path: '/x', password: null })).toEqual({
    workerId: 3,
    passed: 4,
    key: 'cpu',
    path: '/x',
    password: null,
  })
})
