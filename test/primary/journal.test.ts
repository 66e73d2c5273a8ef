import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { initialFleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { replay } from '../../packages/supervisor/src/fleet/replay.ts'
import { openJournal } from '../../packages/supervisor/src/primary/journal.ts'
import { readJournal } from '../../packages/supervisor/src/simulator/read-journal.ts'
import { World } from '../../packages/supervisor/src/simulator/world.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { calmScenario } from '../simulator/runs.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sm-journal-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const settings = fleetSettings()
const load = [
  { atMs: 0, requestsPerSecond: 20 },
  { atMs: 60_000, requestsPerSecond: 600 },
]

/** Lives for so long with a journal; answers the life as it was. */
async function live(file: string, maxBytes: number, untilMs: number): Promise<{ fleet: World['fleet']; warnings: string[] }> {
  const warnings: string[] = []
  const journal = openJournal({ file, maxBytes }, (sentence) => warnings.push(sentence))
  let before = initialFleet(settings)
  const world = new World(settings, { ...calmScenario, load }, 0, (turn) => {
    const fleet = before
    journal?.record(turn.event, () => fleet)
    before = turn.fleet
  })
  // As in life: between two stretches the disk has time.
  for (let atMs = 0; atMs <= untilMs; atMs += 10_000) {
    world.run(atMs)
    await journal?.settled()
  }
  return { fleet: world.fleet, warnings }
}

test('no file, no journal', () => {
  expect(openJournal({ file: null, maxBytes: 1e6 }, () => {})).toBe(null)
})

test('a journal replays to the fleet that wrote it; it is for its owner only, in a folder made for it', async () => {
  const file = path.join(folder, 'deep', 'journal.jsonl')
  const { fleet, warnings } = await live(file, 64e6, 120_000)
  expect(warnings).toEqual([])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const again = replay(readJournal(await readFile(file, 'utf8'), file)).fleet
  expect(JSON.stringify(again)).toBe(JSON.stringify(fleet))
})

test('it is bounded: two files at most, both complete by themselves, and the newer one ends where the fleet is now', async () => {
  const file = path.join(folder, 'journal.jsonl')
  const maxBytes = 200_000
  const { fleet } = await live(file, maxBytes, 300_000)
  expect((await readdir(folder)).sort()).toEqual(['journal.jsonl', 'journal.jsonl.1'])
  const texts = await Promise.all([file, `${file}.1`].map((each) => readFile(each, 'utf8')))
  // One line beyond its half is what it takes to see that a file is full.
  for (const text of texts) expect(text.length).toBeLessThan(maxBytes / 2 + 20_000)
  const [newer, older] = texts.map((text, index) => replay(readJournal(text, `file ${index}`)).fleet)
  expect(JSON.stringify(newer)).toBe(JSON.stringify(fleet))
  expect(older?.nowMs).toBeLessThanOrEqual(newer?.nowMs ?? 0)
})

test('what a supervisor before has written is kept as the older file', async () => {
  const file = path.join(folder, 'journal.jsonl')
  await writeFile(file, 'before\n')
  await live(file, 64e6, 10_000)
  expect(await readFile(`${file}.1`, 'utf8')).toBe('before\n')
})

test('one that cannot be written ends with one warning, and the fleet lives on', async () => {
  await writeFile(path.join(folder, 'no-folder'), '')
  const { fleet, warnings } = await live(path.join(folder, 'no-folder', 'journal.jsonl'), 64e6, 60_000)
  expect(warnings).toEqual([expect.stringMatching(/^The journal .* cannot be written, so it ends here: /)])
  expect(fleet.phase).toBe('running')
})
