import { createHash } from 'node:crypto'
import type { FleetSettings } from '../../fleet/fleet.ts'
import type { Control } from '../../primary/ports.ts'
import { escape } from '../../simulator/plot-frame.ts'
import type { Answer } from '../answer.ts'
import { drawCharts } from './charts.ts'
import { keepHistory } from './history.ts'
import { script } from './script.ts'
import { drawAlerts, drawDatabase, drawDecisions, drawHead, drawLastExit, drawStanding, drawTiles } from './sections.ts'
import { style } from './style.ts'
import { drawWorkers } from './workers.ts'

const LAST_DECISIONS = 30

export interface Dashboard {
  /** The page as of now; read-only, and without anything from elsewhere. */
  page(): Answer
  close(): void
}

export type DashboardSettings = Pick<FleetSettings, 'scaling' | 'prices'>

export function createDashboard(control: Control, settings: DashboardSettings): Dashboard {
  const history = keepHistory(() => control.status())
  return {
    page: () => ({ status: 200, contentType: 'text/html; charset=utf-8', body: render(), headers }),
    close: () => history.close(),
  }

  function render(): string {
    const status = control.status()
    const decisions = control.decisions(LAST_DECISIONS)
    const nowMs = Date.now()
    return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(`${status.fleet.ready}/${status.fleet.target} ${status.state} · stationmaster`)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<header>${part('div', 'head', drawHead(status))}<p id="live" role="status">as of ${new Date(nowMs).toISOString()}</p></header>
<main>
${part('div', 'alerts', drawAlerts(status))}
${part('section', 'tiles', drawTiles(status, settings.prices), 'aria-label="The fleet at a glance"')}
${part('section', 'charts', drawCharts(history.moments(), decisions, nowMs), 'aria-label="The last half hour"')}
<div class="columns">
<section class="card"><h2>Why this size</h2>${part('div', 'standing', drawStanding(control.standing()))}</section>
<section class="card"><h2>Decisions</h2>${part('div', 'decisions', drawDecisions(decisions, nowMs))}</section>
</div>
<section class="card"><h2>Workers</h2>${part('div', 'workers', drawWorkers(status.workers, settings.scaling))}</section>
${part('section', 'database', status.database ? `<h2>Database connections</h2>${drawDatabase(status.database, status.workers)}` : '', 'class="card"')}
${part('section', 'exit', status.restarts.lastExit ? `<h2>Last failure</h2>${drawLastExit(status, nowMs)}` : '', 'class="card"')}
</main>
<script>${script}</script>
</html>
`
  }
}

/** A part that is exchanged when it changes; where there is nothing to show it is not there for the reader. */
const part = (tag: string, id: string, content: string, attributes = ''): string =>
  `<${tag} id="${id}" data-part ${attributes}${content === '' ? ' hidden' : ''}>${content}</${tag}>`

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Only our own style and script, only our own server, in nobody's frame. */
const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${hashOf(script)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
}
