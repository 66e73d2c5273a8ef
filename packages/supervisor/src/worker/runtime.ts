import cluster from 'node:cluster'
import type { Server } from 'node:net'
import type { PrimaryMessage } from '../wire/messages.ts'
import { AppSignals } from './app-signals.ts'
import type { Channel } from './channel.ts'
import { createChannel, letTheProcessEnd, onReadySent } from './channel.ts'
import { CleanUp } from './clean-up.ts'
import { watchListenOfCluster } from './cluster-listen.ts'
import type { Report } from '../policy/sample.ts'
import { ConnectionCount } from './connection-count.ts'
import { ConnectionLedger } from './connection-ledger.ts'
import { DealtServers } from './dealt-servers.ts'
import { Door } from './door.ts'
import { Drain } from './drain.ts'
import { createHandOver, type HandOver } from './hand-over.ts'
import { EngineSockets } from './engine-sockets.ts'
import type { Intake } from './intake.ts'
import { interceptListen } from './intake.ts'
import type { ServerInside, SocketInside } from './internals.ts'
import { isTlsServer } from './internals.ts'
import { watchHttp2 } from './http2-sessions.ts'
import { complain } from './complain.ts'
import { outliveReaders } from './outputs.ts'
import { tellProbe } from './probe.ts'
import { interceptProcessEvents } from './process-events.ts'
import { startSampler } from './sampler.ts'
import type { Servers } from './servers.ts'
import { Neighbours } from './neighbours.ts'
import { watchServers } from './servers.ts'
import { QueueTimes } from './queue-times.ts'
import { stickEngines } from './sticky-engines.ts'
import { StickyKeys } from './sticky-keys.ts'
import type { WorkerSettings } from './settings.ts'
import { letGo } from './shed.ts'
import { publish } from './shared-state.ts'
import { Traffic } from './traffic.ts'
import { watchUpgrades } from './upgrades.ts'

/** What an orphan gives its clients before it exits: the platform's own deadline is near, and nobody restarts it. */
const ORPHAN_DRAIN_MS = 2000
/** Not 0: an orphan has failed, though it is not its fault (70 is EX_SOFTWARE). */
const ORPHAN_EXIT_CODE = 70

/** Everything a supervised worker does besides running the app. Called once, before the app's first line. */
export class Runtime {
  readonly #settings: WorkerSettings
  readonly #channel: Channel
  readonly #traffic: Traffic
  readonly #engines = new EngineSockets()
  readonly #cleanUp = new CleanUp()
  readonly #appSignals = new AppSignals()
  readonly #drain: Drain
  readonly #servers: Servers
  readonly #intake: Intake | null
  readonly #dealt: DealtServers | null
  readonly #count: ConnectionCount
  readonly #ledger: ConnectionLedger | null
  readonly #handOver: HandOver
  readonly #neighbours: Neighbours | null
  readonly #stickyKeys: StickyKeys | null
  #promoted: boolean
  #readied = false
  #listened = false
  #draining = false
  #sampling = false
  #orphan = false

  constructor(settings: WorkerSettings) {
    this.#settings = settings
    this.#traffic = new Traffic(settings.trustedProxies.length > 0 ? new QueueTimes(settings.trustedProxies) : null)
    this.#promoted = settings.role === 'worker'
    this.#channel = createChannel((message, handle) => this.#receive(message, handle))
    this.#drain = new Drain({
      traffic: this.#traffic,
      engines: this.#engines,
      cleanUp: this.#cleanUp,
      channel: this.#channel,
      hasPeers: settings.replica !== null,
      stopAccepting: () => this.#stopAccepting(),
    })
    this.#attachToProcess()
    this.#servers = watchServers({
      onFirstListen: (server) => this.#meet(server),
      onListening: () => this.#listening(),
    })
    this.#dealt = settings.listen === 'dealt' ? new DealtServers((socket) => this.#traffic.adopt(socket as SocketInside)) : null
    this.#intake =
      settings.listen === 'cluster' ? null : interceptListen(this.#channel, this.#mayAccept(), (server) => this.#dealt?.isDealt(server) ?? false)
    if (!this.#intake) watchListenOfCluster(this.#channel)
    this.#count = new ConnectionCount(
      () => this.#traffic.clients,
      (connections) => this.#channel.send({ kind: 'connections', connections, takesMore: this.#intake?.takesMore ?? false }),
    )
    if (this.#intake) this.#traffic.onChange = this.#count.changed
    this.#handOver = createHandOver(this.#channel)
    this.#neighbours = this.#meetNeighbours()
    this.#stickyKeys = settings.sticky && this.#neighbours ? new StickyKeys(settings.sticky, this.#neighbours, settings.trustedProxies) : null
    this.#ledger = settings.connectionName === null ? null : new ConnectionLedger((message) => this.#channel.send(message))
    this.#publish()
    this.#channel.send({ kind: 'hello' })
  }

  #attachToProcess(): void {
    // A stuck worker is diagnosed through its inspector (SIGUSR1), which must find a free port by itself.
    process.debugPort = 0
    outliveReaders()
    interceptProcessEvents({
      onMessage: (raw, handle) => this.#channel.receive(raw, handle),
      onDisconnect: () => this.#orphaned(),
      onBeforeExit: () => this.#cleanUp.noteIdle(),
      onExit: () => {
        this.#drain.reportBeforeExit()
        if (this.#orphan) this.#neighbours?.tidyUp()
      },
    })
    letTheProcessEnd()
    onReadySent(() => this.#ready())
  }

  #meetNeighbours(): Neighbours | null {
    const { workerId, neighbours, replica } = this.#settings
    return neighbours && new Neighbours({ ...neighbours, workerId, replica, handOver: this.#handOver, traffic: this.#traffic })
  }

  #publish(): void {
    publish({
      ready: () => this.#ready(),
      addDrainHook: (hook) => this.#cleanUp.addHook(hook),
      addPool: (pool) => this.#cleanUp.addPool(pool),
      reportSignal: (name, source) => this.#appSignals.set(name, source),
      leaseTerms: this.#ledger && { ledger: this.#ledger, connectionName: this.#settings.connectionName ?? '' },
      redis: this.#settings.redis,
      attachSocketIO: (server, load) => {
        this.#engines.add(server)
        if (this.#neighbours) stickEngines(server, this.#neighbours)
        this.#dealt?.attach(server, load)
        this.#channel.send({ kind: 'attached', library: 'socket.io' })
      },
    })
  }

  #receive(message: PrimaryMessage, handle: unknown): void {
    switch (message.kind) {
      case 'socket':
        return this.#intake?.answer(message.requestId, message.error, handle)
      case 'promote':
        this.#promoted = true
        return this.#openIfDue()
      case 'drain':
        this.#draining = true
        return this.#drain.begin(message)
      case 'adopt': // comes twice; once it is taken, the second answer is no news
        return this.#channel.send({
          kind: 'adopted',
          transferId: message.transferId,
          taken: this.#neighbours?.adopt(handle, message.head, message.server) ?? false,
        })
      case 'routes':
        return this.#neighbours?.takeRoutes(message)
      case 'handedOver':
        return this.#handOver.settle(message.transferId, message.taken)
      case 'gate':
        return this.#intake?.setGate(message.open)
      case 'count':
        return this.#count.tell()
      case 'lease':
      case 'databaseState':
        return this.#ledger?.hear(message)
      case 'shed':
        return letGo(this.#traffic, this.#engines, message)
      case 'probe':
        return tellProbe(this.#channel, this.#servers, message)
    }
  }

  #meet(server: Server): void {
    this.#traffic.start()
    watchUpgrades(server, this.#traffic)
    this.#stickyKeys?.meet(server)
    watchHttp2(server, this.#traffic)
    // First of all listeners: an HTTP/2 session begins in Node's own, and hides the stream.
    if (isTlsServer(server)) server.prependListener('secureConnection', (stream: SocketInside) => this.#traffic.connectionOf(stream))
  }

  #listening(): void {
    if (this.#draining) return this.#stopAccepting()
    if (this.#listened) return
    this.#listened = true
    this.#channel.send({ kind: 'listening' })
    if (this.#settings.readyWhen === 'listening') this.#startSampling()
  }

  #ready(): void {
    if (this.#readied) return
    this.#readied = true
    this.#openIfDue()
    this.#channel.send({ kind: 'ready' })
    if (this.#settings.readyWhen === 'ready') this.#startSampling()
  }

  /** A worker that has to say "ready" gets nobody before it did. */
  #mayAccept(): boolean {
    return this.#promoted && !this.#draining && (this.#settings.readyWhen === 'listening' || this.#readied)
  }

  #openIfDue(): void {
    if (this.#mayAccept()) this.#intake?.openDoors()
  }

  #startSampling(): void {
    if (this.#sampling) return
    this.#sampling = true
    startSampler({
      traffic: this.#traffic,
      signals: this.#appSignals,
      tickMs: this.#settings.tickMs,
      send: (report) => this.#report(report),
    }).catch((error: unknown) => complain('the worker cannot measure itself:', error))
  }

  #report(report: Report): void {
    this.#ledger?.tellChanges()
    this.#channel.send({ kind: 'report', report })
  }

  /** Doors shut by themselves; a server with a handle of its own (exclusive, or Node's round robin) has it closed under it. */
  #stopAccepting(): void {
    this.#draining = true
    this.#neighbours?.leave()
    this.#intake?.shutDoors()
    for (const server of this.#servers) {
      const handle = (server as ServerInside)._handle
      if (!(handle instanceof Door)) handle?.close()
    }
  }

  /**
   * node:cluster would exit 0 at once and drop every request; so it is told that this was expected. An event loop that never turns again
   * does not get here. A thread that watches it would cost each worker 18 MB and 65 ms of CPU, so such a worker is left to the next
   * supervisor, which ends the orphans it finds on its port.
   */
  #orphaned(): void {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
    this.#orphan = true
    this.#draining = true
    this.#drain.begin({ timeoutMs: ORPHAN_DRAIN_MS, patient: false }, ORPHAN_EXIT_CODE)
  }
}
