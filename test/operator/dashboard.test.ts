import { existsSync } from 'node:fs'
import { type Browser, type Page, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openAdminServer } from '../../packages/supervisor/src/operator/admin-server.ts'
import { defaultScaling } from '../policy/settings.ts'
import { FakeControl, decision, keepingLogger, status, worker } from './fake-control.ts'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
if (!existsSync(executablePath)) console.log('test/operator/dashboard.test.ts is left out in part: CHROMIUM_PATH does not say where Chromium is.')

const settings = { scaling: defaultScaling, prices: { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null } }
const metrics = { render: async () => ({ contentType: 'text/plain', body: '' }) }

interface Shown {
  readonly control: FakeControl
  readonly url: string
  stop(): Promise<void>
}

const it = test.extend<{ shown: Shown }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  shown: async ({}, use) => {
    const control = new FakeControl()
    const server = await openAdminServer({ host: '127.0.0.1', port: 0, control, metrics, settings, log: keepingLogger() })
    await use({ control, url: `${server.url}/`, stop: () => server.close() })
    await server.close()
    expect(control.listeners.size).toBe(0)
  },
})

const HOSTILE = '<img src=x onerror="document.title=1">"\'&'

it('is a page that changes nothing and takes nothing from elsewhere', async ({ shown }) => {
  const lease = { granted: 20, acknowledged: 20, inUse: 3, waiting: 0 }
  const database = { budget: 100, share: 97, ...lease, quarantined: 0, foreign: 0, why: [HOSTILE] }
  const lastExit = { workerId: 1, code: 1, signal: null, cause: HOSTILE, lastStderrLines: [HOSTILE], atMs: 1 }
  const told = {
    ...decision,
    reason: HOSTILE,
    heldBackBy: [HOSTILE],
    wouldChange: HOSTILE,
    signals: { [HOSTILE]: { value: 1, threshold: 1, heldForMs: 1 } },
  }
  shown.control.standingDecision = told
  shown.control.decisions = () => [told]
  shown.control.current = {
    ...status,
    replica: { ...status.replica, id: HOSTILE },
    workers: [{ ...worker, database: lease }],
    database,
    restarts: { total: 1, lastExit },
  }
  const response = await fetch(shown.url)
  const html = await response.text()
  expect(html).not.toContain('<img')
  // Replica, four of why it has this size, two of a decision, the database's, two of the last exit.
  expect(html.match(/&lt;img/g)?.length).toBe(10)
  expect(html).not.toMatch(/<(form|input|button|iframe|link rel="stylesheet")|https?:\/\/|<[^>]*\s(style|on[a-z]+)=/)
  const policy = response.headers.get('content-security-policy')
  expect(policy).toMatch(/^default-src 'none'/)
  expect(policy).not.toMatch(/unsafe|\*/)
  expect(policy).toContain("frame-ancestors 'none'")
})

describe.skipIf(!existsSync(executablePath))('in Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] })
  })
  afterAll(async () => await browser.close())

  /** A page with everything that its console complained of. */
  async function open(url: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage(options)
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => request.url().startsWith(url) || request.url().startsWith('data:') || complaints.push(request.url()))
    await page.goto(url)
    return { page, complaints }
  }

  it('shows the fleet, and follows it at once when something happens', async ({ shown }) => {
    const { control, url } = shown
    const { page, complaints } = await open(url)
    await page.getByRole('status').getByText('live').waitFor()
    await control.hasListeners(1)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('running')
    expect(await page.locator('#workers tbody tr').count()).toBe(2)
    expect(await page.locator('#workers tfoot').textContent()).toContain('70 %for 60 s')
    expect(await page.locator('#standing').textContent()).toContain('held back by cooldown.up: 30 s of 60 s left')
    control.current = {
      ...control.current,
      workers: [{ ...worker, cpu: 0.93, state: 'draining' }],
      fleet: { ...control.current.fleet, ready: 0, target: 7 },
    }
    control.tell({ kind: 'fleet:scaled', from: 2, to: 7, reason: 'cpu', atMs: 1 })
    await page.locator('#tiles').getByText('0 of 7').waitFor()
    expect(await page.locator('#workers .above').textContent()).toContain('93 %')
    expect(await page.locator('#database').isVisible()).toBe(false)
    expect(complaints).toEqual([])
    await page.close()
    await control.hasListeners(0)
  })

  it('says when what it shows is old, and recovers', async ({ shown }) => {
    const { page } = await open(shown.url)
    await page.getByRole('status').getByText('live').waitFor()
    const port = Number(new URL(shown.url).port)
    await shown.stop()
    await page.getByText('not connected').waitFor()
    const again = await openAdminServer({ host: '127.0.0.1', port, control: shown.control, metrics, settings, log: keepingLogger() })
    await page.getByRole('status').getByText('live').waitFor()
    await page.close()
    await again.close()
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`fits a phone and can be read there (${colorScheme})`, async ({ shown }) => {
      shown.control.current = { ...shown.control.current, replica: { ...status.replica, id: 'a'.repeat(90) } }
      const { page } = await open(shown.url, { viewport: { width: 360, height: 740 }, colorScheme })
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
      expect(await page.evaluate(lowestContrast)).toBeGreaterThanOrEqual(4.5)
      await page.close()
    })
  }
})

/** Runs in the page: the lowest contrast (WCAG 2) of any text with what is behind it. */
function lowestContrast(): number {
  const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = channels(color).map((part) =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const behind = (element: Element | null): string => {
    const color = element ? getComputedStyle(element).backgroundColor : 'rgb(255, 255, 255)'
    return channels(color)[3] === 0 ? behind(element?.parentElement ?? null) : color
  }
  const texts = [...document.body.querySelectorAll<HTMLElement>('*')].filter(
    (element) => element.offsetParent !== null && [...element.childNodes].some((child) => child.nodeType === 3 && child.textContent?.trim()),
  )
  const contrasts = texts.map((element) => {
    const [one, other] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
  })
  return Math.min(...contrasts)
}
