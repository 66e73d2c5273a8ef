// What must and must not compile for `stationmaster/worker`. Nothing here runs: the compiler is the test, and an expected error that
// does not come is one.
import { createServer } from 'node:http'
import type { Pool } from 'pg'
import { Server } from 'socket.io'
import { attachSocketIO, createPool, lease, onDrain, ready, reportSignal, supervised } from '../../packages/supervisor/src/worker.ts'
import type { DrainHook, Lease, LeaseValue, SignalSource, SocketIOServer } from '../../packages/supervisor/src/worker.ts'

type Equal<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
const holds = <_Claim extends true>(): void => {}

// supervised: a fact, not a switch
holds<Equal<typeof supervised, boolean>>()
// @ts-expect-error it cannot be called
supervised()

// ready
holds<Equal<ReturnType<typeof ready>, void>>()
// @ts-expect-error it takes nothing
ready('listening')

// onDrain: hooks may be asynchronous or not
onDrain(() => {})
onDrain(async () => {
  await Promise.resolve()
})
const hook: DrainHook = () => {}
onDrain(hook)
// @ts-expect-error the hook is told nothing
onDrain((deadlineMs: number) => String(deadlineMs))
// @ts-expect-error not a function
onDrain('close')
// @ts-expect-error nothing to drain
onDrain()
// @ts-expect-error what a hook resolves with is not used: most likely a mistake
onDrain(async () => await Promise.resolve('closed'))

// reportSignal: a number, or how to find it out
reportSignal('jobs', 4)
reportSignal('jobs', null)
reportSignal('jobs', () => 4)
const source: SignalSource = () => null
reportSignal('jobs', source)
// @ts-expect-error a promise is not asked for
reportSignal('jobs', async () => await Promise.resolve(4))
// @ts-expect-error a text is no value
reportSignal('jobs', '4')
// @ts-expect-error it has a name
reportSignal(4)

// createPool: pg's own pool with pg's own options
const pool: Pool = createPool({ connectionString: 'postgres://localhost', max: 10, idleTimeoutMillis: 1000 })
createPool()
const { rows } = await pool.query<{ readonly id: number }>('select 1 as id')
holds<Equal<(typeof rows)[number]['id'], number>>()
// @ts-expect-error a number
createPool({ max: '10' })
// @ts-expect-error not an option of pg
createPool({ maximum: 10 })

// attachSocketIO: the server of socket.io, however its events are typed
interface Events {
  news(text: string): void
}
attachSocketIO(new Server())
attachSocketIO(new Server<Events, Events>(createServer()))
const structural: SocketIOServer = new Server()
attachSocketIO(structural)
// @ts-expect-error an HTTP server is not one
attachSocketIO(createServer())
// @ts-expect-error nor is nothing
attachSocketIO()

// lease: to look at, not to change
const value: LeaseValue | null = lease.value
holds<Equal<NonNullable<typeof value>['granted'], number>>()
const stop: () => void = lease.onChange((next) => holds<Equal<typeof next, LeaseValue | null>>())
stop()
const same: Lease = lease
// @ts-expect-error it may be null
same.value.granted.toFixed()
// @ts-expect-error it is given, not taken
lease.value = { granted: 5 }
// @ts-expect-error the listener gets one value
lease.onChange((next: number) => next)
