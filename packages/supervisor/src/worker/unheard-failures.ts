import type { StreamAdapter } from './recovery-gap.ts'

export interface Commander {
  sendCommand(...command: unknown[]): unknown
  duplicate(...options: unknown[]): Commander
}

type Acknowledge = (error: unknown, responses: unknown[]) => void

/**
 * The adapter waits for no answer to some of its commands (subscriptions, sessions, questions to other servers), and one that fails unheard
 * would end the worker: a slow Redis would take the whole fleet with it. Who does wait for an answer hears of the failure as before.
 */
export function hearFailures<Client extends Commander>(client: Client): Client {
  const { sendCommand, duplicate } = client
  client.sendCommand = (...command) => {
    const answer = sendCommand.apply(client, command)
    Promise.resolve(answer).catch(() => {})
    return answer
  }
  client.duplicate = (...options) => hearFailures(duplicate.apply(client, options))
  return client
}

/** Socket.IO does not wait for it either; who asked with an acknowledgement is told there. */
export function tellFailedQuestions(adapter: StreamAdapter): void {
  const { serverSideEmit } = adapter
  adapter.serverSideEmit = async (packet) => {
    const acknowledge = packet.at(-1)
    try {
      await serverSideEmit.call(adapter, packet)
    } catch (error) {
      if (typeof acknowledge === 'function') (acknowledge as Acknowledge)(error, [])
    }
  }
}
