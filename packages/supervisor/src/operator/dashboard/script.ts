import type { Note } from '../../fleet/note.ts'

/** Complete, or it does not compile. */
const KINDS: Readonly<Record<Note['kind'], true>> = {
  'worker:forked': true,
  'worker:ready': true,
  'worker:promoted': true,
  'worker:draining': true,
  'worker:drained': true,
  'worker:killed': true,
  'worker:stuck': true,
  'worker:diagnosed': true,
  'worker:unhealthy': true,
  'worker:memory': true,
  'worker:exited': true,
  'worker:fork-failed': true,
  'fleet:restarting': true,
  'fleet:running': true,
  'fleet:listening': true,
  'fleet:decided': true,
  'fleet:scaled': true,
  'fleet:replicas': true,
  'fleet:warning': true,
  'reload:started': true,
  'reload:done': true,
  'reload:aborted': true,
  'fleet:stopping': true,
  'fleet:stopped': true,
  'supervisor:bug': true,
}

/**
 * The page is asked for again, at once when something happens and every two seconds as the load moves, and its parts that changed are
 * exchanged. So all that is shown is written in one place, and the page tells the same without a script. A tab that nobody sees rests.
 */
export const script: string = `
const live = document.getElementById('live')
let asking = false, again = false
const show = (text, state) => { if (live.textContent !== text) live.textContent = text; live.className = state }
async function refresh() {
  if (asking) { again = true; return }
  asking = true; again = false
  try {
    const response = await fetch('/', { signal: AbortSignal.timeout(5000) })
    if (!response.ok) throw new Error(response.statusText)
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
    for (const part of fresh.querySelectorAll('[data-part]')) {
      const old = document.getElementById(part.id)
      if (old && old.innerHTML !== part.innerHTML) exchange(old, part)
      if (old) old.hidden = part.hidden
    }
    show('live', 'on')
  } catch { show('not connected; what is shown is old', 'off') }
  asking = false
  if (again) setTimeout(refresh, 250)
}
function exchange(old, part) {
  const places = [...old.querySelectorAll('.wide, .decisions, pre')].map(each => [each.scrollLeft, each.scrollTop])
  old.innerHTML = part.innerHTML
  old.querySelectorAll('.wide, .decisions, pre').forEach((each, index) => { [each.scrollLeft, each.scrollTop] = places[index] ?? [0, 0] })
}
const events = new EventSource('/v1/events')
for (const kind of ${JSON.stringify(Object.keys(KINDS))}) events.addEventListener(kind, refresh)
setInterval(() => { if (!document.hidden) refresh() }, 2000)
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh() })
refresh()
`
