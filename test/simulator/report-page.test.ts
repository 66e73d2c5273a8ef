import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContext, type Locator, type Page, chromium } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Plan } from '../../packages/supervisor/src/simulator/plan.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { renderReport } from '../../packages/supervisor/src/simulator/report.ts'
import { type Outcome, simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import { fleetSettings } from '../fleet/driver.ts'

interface Simulated {
  readonly plan: Plan
  readonly outcome: Outcome
}

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
if (!existsSync(executablePath)) console.log('test/simulator/report-page.test.ts is left out: CHROMIUM_PATH does not say where Chromium is.')

const load = [
  { atS: 0, requestsPerSecond: 20 },
  { atS: 120, requestsPerSecond: 700, step: true },
]
const plan = readScenario(JSON.stringify({ about: 'a rush', durationS: 1200, load }), 's.json')
const settings = fleetSettings()
const prices = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }
const outcome = simulate(plan, settings, prices)
/** What one replica of two cores does not carry, beside what becomes of it where nobody starts another. */
const two = { durationS: 900, load: [{ atS: 0, requestsPerSecond: 60 }, ...load.slice(1)], host: { cpus: 2 } }
const service = { min: 1, max: 4, bootMs: 20_000 }
const small = fleetSettings({ workers: { max: 2 }, capacity: { cpus: 2 } })
const [many, alone] = [true, false].map((follow) => {
  const planOfTwo = readScenario(JSON.stringify({ ...two, replicas: { ...service, follow } }), 's.json')
  return { plan: planOfTwo, outcome: simulate(planOfTwo, small, prices) }
}) as [Simulated, Simulated]
const changes = outcome.decisions.filter(({ from, to }) => from !== to)
const sentences = changes.map(({ from, to, reason }) => `${from} → ${to} workers: ${reason}`)

describe.skipIf(!existsSync(executablePath)).for(['light', 'dark'] as const)('the report in Chromium, %s, without a network', (colorScheme) => {
  let [browser, context, folder]: [Browser | null, BrowserContext | null, string] = [null, null, '']
  let page: Page
  const complaints: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'stationmaster-report-'))
    const file = path.join(folder, 'out.html')
    await writeFile(file, renderReport({ title: 'rush', plan, settings, prices, outcome, others: [] }))
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] })
    const others = [{ name: 'nobody follows', source: 'the same without', outcome: alone.outcome }]
    const of = { plan: many.plan, settings: small, prices: { ...prices, budgetMonth: 60 }, outcome: many.outcome, others }
    await writeFile(path.join(folder, 'many.html'), renderReport({ title: 'many', ...of }))
    context = await browser.newContext({ colorScheme, offline: true, viewport: { width: 1000, height: 800 } })
    page = await context.newPage()
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => /^(file|data):/.test(request.url()) || complaints.push(request.url()))
    await page.goto(pathToFileURL(file).href)
  })
  afterEach(() => expect(complaints).toEqual([]))
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true })
  })

  const marks = (): Locator => page.locator('figure').first().locator('.mark')
  /** Whatever lies on it: those that follow each other at once do. */
  async function pointAt(index: number): Promise<void> {
    const box = await marks().nth(index).locator('circle').boundingBox()
    await page.getByRole('heading', { level: 1 }).hover()
    await page.mouse.move((box?.x ?? 0) + 8, (box?.y ?? 0) + 8)
  }
  const tip = (): Locator => page.getByRole('tooltip')

  test('a decision tells its reason under the pointer, and is silent again when it has left', async () => {
    expect(changes.length).toBeGreaterThan(1)
    expect(await marks().count()).toBe(changes.length)
    expect(await tip().count()).toBe(0)
    for (const [index, sentence] of sentences.entries()) {
      await pointAt(index)
      expect((await tip().textContent())?.split('\n')).toContain(`${index + 1}: ${sentence}`)
      const box = await tip().boundingBox()
      expect(box && box.x >= 0 && box.x + box.width <= 1000).toBe(true)
    }
    await page.getByRole('heading', { level: 1 }).hover()
    expect(await tip().count()).toBe(0)
  })

  test('and to the keyboard, until Escape', async () => {
    await marks().first().focus()
    expect(await tip().textContent()).toContain(`1: ${sentences[0]}`)
    await page.keyboard.press('Escape')
    expect(await tip().count()).toBe(0)
  })

  test('values under the pointer are told in the captions', async () => {
    const chart = page.locator('figure').first()
    await chart.locator('svg').hover({ position: { x: 500, y: 100 } })
    expect(await chart.locator('output').first().textContent()).toMatch(/^\d/)
  })

  test('several replicas, beside another policy: their charts tell values, the tables what each costs, and nothing is wider than the page', async () => {
    const beside = (await context?.newPage()) as Page
    beside.on('pageerror', (error) => complaints.push(String(error)))
    await beside.goto(pathToFileURL(path.join(folder, 'many.html')).href)
    const chart = (title: string): Locator => beside.locator('figure').filter({ hasText: title })
    for (const [title, curves] of [
      ['Replicas', 1],
      ['Workers that serve, by policy', 2],
    ] as const) {
      await chart(title)
        .locator('svg')
        .hover({ position: { x: 500, y: 100 } })
      const told = await chart(title).locator('output').allTextContents()
      expect([title, told.length, told.every((text) => /^\d+$/.test(text))]).toEqual([title, curves, true])
    }
    const costOf = (name: string): Promise<string | null> =>
      beside.locator('#comparison tr').filter({ hasText: name }).locator('td').nth(3).textContent()
    expect(await costOf('this policy')).toBe(String(many.outcome.summary.costUsdPerMonth))
    expect(await costOf('nobody follows')).toBe('40')
    expect(await beside.locator('#costs').textContent()).toContain('of a budget of 60 USD')
    expect(await beside.getByRole('status').first().textContent()).toMatch(/needs replicas: \d/)
    expect(await beside.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true)
    await beside.close()
  })

  test('what is written can be read', async () => {
    await pointAt(0)
    for (const place of ['body', '#tip', '.quiet']) expect([place, (await contrastOf(page, place)) >= 4.5]).toEqual([place, true])
    const [red = 0] = await rgbOf(page, 'body', 'backgroundColor')
    expect(red > 128).toBe(colorScheme === 'light')
  })
})

/** Of a colour as the browser has computed it. */
async function rgbOf(page: Page, place: string, name: 'color' | 'backgroundColor'): Promise<number[]> {
  const shown = await page
    .locator(place)
    .first()
    .evaluate(
      // What has no ground of its own stands on the page's.
      (element, property) => {
        const own = getComputedStyle(element)[property as 'color']
        return own === 'rgba(0, 0, 0, 0)' ? getComputedStyle(document.body)[property as 'color'] : own
      },
      name,
    )
  return (shown.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number)
}

/** As WCAG 2 reckons it. */
async function contrastOf(page: Page, place: string): Promise<number> {
  const luminance = (rgb: readonly number[]): number =>
    rgb
      .map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, index) => sum + part * ([0.2126, 0.7152, 0.0722][index] as number), 0)
  const [front, back] = [luminance(await rgbOf(page, place, 'color')), luminance(await rgbOf(page, place, 'backgroundColor'))]
  return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)
}
