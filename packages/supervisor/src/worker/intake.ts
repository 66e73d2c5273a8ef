import cluster from 'node:cluster'
import net from 'node:net'
import type { ListenError, ListenRequest } from '../wire/messages.ts'
import type { Channel } from './channel.ts'
import { watchDescriptors } from './descriptors.ts'
import { Door } from './door.ts'
import type { GetServer, ListenHandle, ServerInside, ServerQuery } from './internals.ts'
import { addressOf, createTurns, systemErrorOf } from './listen-address.ts'
import { isPrivate } from './servers.ts'

/** Where the app's `listen()` calls meet the primary's sockets. */
export interface Intake {
  /** The primary's answer to a `listen` request. */
  answer(requestId: number, error: ListenError | null, handle: unknown): void
  openDoors(): void
  shutDoors(): void
  /** Open doors let clients in only while this is open: others may have fewer. */
  setGate(open: boolean): void
  /** Clients are let in here when the gate is open. */
  readonly takesMore: boolean
}

type Question = Omit<ListenRequest, 'requestId'>
type Settle = (error: ListenError | null, copy: ListenHandle | null) => void

/** The kernel drops a descriptor that is sent to a process at its limit. */
const HANDLE_LOST: ListenError = { code: 'EMFILE', errno: -24, message: 'too many open files' }

/**
 * Inside a cluster worker, Node's `listen()` does all its checks and look-ups and then asks `cluster._getServer` for a handle, unless
 * the call is exclusive or brings its own handle. We answer in its place, with a door to the primary's socket.
 */
export function interceptListen(channel: Channel, startOpen: boolean, isDealt: (server: object) => boolean): Intake {
  const doors = new Set<Door>()
  const turns = createTurns()
  const desk = createDesk(channel)
  const descriptors = watchDescriptors(
    () => doors.size,
    () => moveDoors(),
  )
  let open = startOpen
  let isGateOpen = true

  const isOpen = (): boolean => open && isGateOpen && !descriptors.areScarce
  const moveDoors = (): void => {
    for (const door of doors) {
      if (isOpen()) door.open()
      else door.shut()
    }
  }

  const hang = (copy: ListenHandle, question: Question, release: () => void): Door => {
    // Whom the primary accepts for needs no door: it stays shut.
    const door = new Door(copy, isOpen() && !question.isDealt, {
      acquire: (use) =>
        desk.ask(question, (_error, next) => {
          use(next)
          if (!next) descriptors.noteLost() // and the door is opened again when there is room
        }),
      onAccepted: (fd) => descriptors.note(fd),
      onLost: () => descriptors.noteLost(),
      onClosed: () => {
        doors.delete(door)
        release()
      },
    })
    if (!question.isDealt) doors.add(door)
    return door
  }

  answerInPlaceOfNode((server, query, reply) => {
    const listeningId = server._listeningId
    const address = addressOf(query)
    const { turn, release } = turns.claim(address)
    const question: Question = { kind: 'listen', ...address, turn, isDealt: isDealt(server) }
    desk.ask(question, (error, copy) => {
      // What is ours takes no clients: it stays open whoever else has room for them, until the process ends.
      if (copy) return reply(null, isPrivate(server) ? copy : hang(copy, question, release))
      release()
      if (server._listeningId === listeningId) server.emit('error', systemErrorOf(error ?? HANDLE_LOST, query))
    })
  })

  return {
    answer: desk.answer,
    openDoors() {
      open = true
      moveDoors()
    },
    shutDoors() {
      open = false
      moveDoors()
    },
    setGate(openNow) {
      isGateOpen = openNow
      moveDoors()
    },
    get takesMore() {
      return open && doors.size > 0 && !descriptors.areScarce
    },
  }
}

type AnswerListen = (server: ServerInside, query: ServerQuery, reply: (error: null, handle: Door | ListenHandle) => void) => void

function answerInPlaceOfNode(answer: AnswerListen): void {
  const inside = cluster as unknown as { _getServer: GetServer }
  const answerOfNode = inside._getServer
  inside._getServer = (server, query, reply) => {
    if (server instanceof net.Server) answer(server as ServerInside, query, reply)
    else answerOfNode.call(cluster, server, query, reply) // a datagram socket
  }
}

/** Questions to the primary that wait for their answers; while one does, the process stays alive. */
function createDesk(channel: Channel): { ask(question: Question, settle: Settle): void; answer: Intake['answer'] } {
  const waiting = new Map<number, Settle>()
  let lastRequestId = 0
  return {
    ask(question, settle) {
      const requestId = ++lastRequestId
      waiting.set(requestId, settle)
      channel.hold()
      channel.send({ ...question, requestId })
    },
    answer(requestId, error, handle) {
      const copy = (handle as ListenHandle | undefined) ?? null
      const settle = waiting.get(requestId)
      if (!settle) return copy?.close()
      waiting.delete(requestId)
      channel.release()
      settle(error, error ? null : copy)
    },
  }
}
