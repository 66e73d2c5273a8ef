import type { Note } from '../fleet/note.ts'
import { describeMs } from '../policy/describe.ts'
import { describeNeed } from '../policy/replicas.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** A note as people read it: one sentence with the numbers, and the note itself for machines. */
export interface Description {
  readonly level: Level
  readonly message: string
  readonly fields: Record<string, unknown>
}

type Sentence = readonly [level: Level, message: string]
type NoteOf<Kind extends Note['kind']> = Extract<Note, { readonly kind: Kind }>

/** The log text of the supervisor. A kind of note without its sentence does not compile. */
const SENTENCES: { readonly [Kind in Note['kind']]: (note: NoteOf<Kind>) => Sentence } = {
  'worker:forked': ({ workerId, slot, generation, role }) => [
    'debug',
    `worker ${workerId} starts as a ${role} (slot ${slot}, generation ${generation})`,
  ],
  'worker:ready': ({ workerId, bootMs, spare }) => ['info', `worker ${workerId} is ready${spare ? ' as a spare' : ''} (${describeMs(bootMs)})`],
  'worker:promoted': ({ workerId, slot }) => ['info', `worker ${workerId}, a spare, was promoted (slot ${slot})`],
  'worker:draining': ({ workerId, reason }) => ['info', `worker ${workerId} drains: ${reason}`],
  'worker:drained': drained,
  'worker:killed': ({ workerId, reason }) => ['warn', `worker ${workerId} is killed: ${reason}`],
  'worker:stuck': ({ workerId, silentMs }) => [
    'error',
    `worker ${workerId} is stuck: its event loop has not turned for ${describeMs(silentMs)}; it will be diagnosed and replaced`,
  ],
  'worker:diagnosed': ({ workerId, reportPath }) =>
    reportPath === null
      ? ['warn', `worker ${workerId} is stuck and wrote no diagnostic report`]
      : ['warn', `worker ${workerId} is stuck: the diagnostic report that shows where is ${reportPath}`],
  'worker:unhealthy': ({ workerId, detail }) => ['warn', `worker ${workerId} is unhealthy: ${detail}`],
  'worker:memory': ({ workerId, memoryBytes, limitBytes }) => [
    'warn',
    `worker ${workerId} uses ${megabytes(memoryBytes)} of memory, more than its limit of ${megabytes(limitBytes)} (workers.memoryLimit), and will be replaced`,
  ],
  'worker:exited': exited,
  'worker:fork-failed': ({ workerId, message }) => ['error', `worker ${workerId} could not be forked: ${message}`],
  'fleet:restarting': ({ inMs, recent, intensity }) => [
    'warn',
    `a new worker starts in ${describeMs(inMs)}: ${count(recent, 'failure')} of the ${intensity} that restart.intensity allows`,
  ],
  'fleet:running': ({ ready }) => ['info', `the fleet is running: ${are(ready, 'worker')} ready`],
  'fleet:listening': ({ addresses }) => ['info', `the fleet listens on ${addresses.join(', ')}`],
  'fleet:decided': decided,
  'fleet:scaled': ({ from, to, reason }) => ['info', `the fleet scales from ${from} to ${count(to, 'worker')}: ${reason}`],
  'fleet:replicas': (need) => [need.needs > need.have ? 'warn' : 'info', describeNeed(need)],
  'fleet:warning': ({ message }) => ['warn', message],
  'reload:started': ({ generation }) => ['info', `reload: generation ${generation} starts`],
  'reload:done': ({ generation, replaced }) => ['info', `reload done: generation ${generation} serves, ${count(replaced, 'worker')} replaced`],
  'reload:aborted': ({ message }) => ['error', message],
  'fleet:stopping': ({ reason, timeoutMs }) => [
    'info',
    timeoutMs > 0
      ? `the fleet stops (${reason}): workers have ${describeMs(timeoutMs)} to drain`
      : `the fleet stops now (${reason}): workers have no time left to drain`,
  ],
  'fleet:stopped': ({ code, message }) =>
    code === 0 ? ['info', message ?? 'the fleet has stopped'] : ['error', message ?? `the fleet has stopped with exit code ${code}`],
  'supervisor:bug': ({ message }) => ['error', `a fault in stationmaster itself, please report it: ${message}`],
}

/** One plain sentence for every note, with its level; `fields` are the note's own. */
export function describeNote<Kind extends Note['kind']>(note: NoteOf<Kind>): Description {
  const [level, message] = SENTENCES[note.kind as Kind](note)
  const { kind: event, ...rest } = note
  return { level, message, fields: { event, ...rest } }
}

function drained({ workerId, cutConnections, cutRequests }: NoteOf<'worker:drained'>): Sentence {
  if (cutConnections === 0 && cutRequests === 0) return ['info', `worker ${workerId} has drained, nothing was cut`]
  const cut = `${count(cutRequests, 'request')} and ${count(cutConnections, 'connection')}`
  return ['warn', `worker ${workerId} has drained, but ${cut} were cut at its deadline (drain.timeout)`]
}

function exited({ workerId, expected, because, code, signal, cause }: NoteOf<'worker:exited'>): Sentence {
  const how = signal === null ? `exited with code ${code ?? 'unknown'}` : `was ended by ${signal}`
  const why = cause === null ? '' : ` (${cause})`
  const who = because === null ? 'unasked' : `by the supervisor, because it ${because}`
  return expected ? ['info', `worker ${workerId} ${how}${why}`] : ['error', `worker ${workerId} ${how}${why}, ${who}`]
}

function decided({ decision }: NoteOf<'fleet:decided'>): Sentence {
  const { from, to, wanted, reason, heldBackBy } = decision
  if (heldBackBy.length === 0) return ['debug', `decision: ${from} to ${count(to, 'worker')}: ${reason}`]
  return ['info', `decision: ${count(wanted, 'worker')} would be right, but ${to} it is: ${reason}; held back by ${heldBackBy.join('; ')}`]
}

const count = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? '' : 's'}`
const are = (amount: number, noun: string): string => `${count(amount, noun)} ${amount === 1 ? 'is' : 'are'}`
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
