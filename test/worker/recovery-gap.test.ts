import { describe, expect, it } from 'vitest'
import { closeRecoveryGap, type StreamAdapter } from '../../packages/supervisor/src/worker/recovery-gap.ts'

const ALL = (): { rooms: string[]; except: string[]; flags: object } => ({ rooms: [], except: [], flags: {} })
const news = (text: string, opts = ALL()) => ({ type: 3, data: { packet: { type: 2, data: ['news', text] }, opts } })

/** An adapter whose stream answers when it is told to. */
function setUp() {
  const answer = Promise.withResolvers<{ sid: string; rooms: string[]; missedPackets: unknown[][] }>()
  const heard: { offset: string | undefined; except: string[] }[] = []
  const adapter = {
    onMessage: (message: ReturnType<typeof news>, offset?: string) => void heard.push({ offset, except: message.data.opts.except }),
    doPublish: async () => '1-5',
    async broadcast(this: StreamAdapter, packet: { type: number; data: unknown[] }, { except }: { except: Set<string> }) {
      const offset = await this.doPublish({ type: 3, data: { packet, opts: { rooms: [], except: [...except] } } })
      packet.data.push(offset)
      heard.push({ offset, except: [...except] })
    },
    restoreSession: async () => await answer.promise,
  } as unknown as StreamAdapter
  closeRecoveryGap(adapter)
  return { adapter, answer, heard }
}

describe('a session that is restored while broadcasts go on', () => {
  it('gets what arrived meanwhile and was not in the stream yet, in order, if it is meant', async () => {
    const { adapter, answer } = setUp()
    const restoring = adapter.restoreSession('private', '1-1')
    adapter.onMessage(news('in the stream'), '1-2')
    adapter.onMessage(news('for others', { ...ALL(), rooms: ['other'] }), '1-3')
    adapter.onMessage(news('for our room', { ...ALL(), rooms: ['ours'] }), '1-10')
    adapter.onMessage(news('not for us', { ...ALL(), except: ['me'] }), '1-11')
    adapter.onMessage(news('fleeting', { ...ALL(), flags: { volatile: true } }), '1-12')
    await adapter.broadcast({ type: 2, data: ['news', 'own'] }, { except: new Set() })
    answer.resolve({ sid: 'me', rooms: ['me', 'ours'], missedPackets: [['news', 'in the stream', '1-2']] })
    const { missedPackets } = await restoring
    expect(missedPackets).toEqual([
      ['news', 'in the stream', '1-2'],
      ['news', 'own', '1-5'],
      ['news', 'for our room', '1-10'],
    ])
  })

  it('does not hear again what it got from the stream, from whichever side it comes', async () => {
    const { adapter, answer, heard } = setUp()
    const restoring = adapter.restoreSession('private', '1-1')
    answer.resolve({ sid: 'me', rooms: ['me'], missedPackets: [['news', 'a', '1-5']] })
    await restoring
    adapter.onMessage(news('b'), '1-4')
    adapter.onMessage(news('c'), '1-6')
    await adapter.broadcast({ type: 2, data: ['news', 'a'] }, { except: new Set() })
    expect(heard).toEqual([
      { offset: '1-4', except: ['me'] },
      { offset: '1-6', except: [] },
      { offset: '1-5', except: ['me'] },
    ])
  })

  it('is looked for again when its client was quicker', async () => {
    let looks = 0
    const late = { onMessage() {}, doPublish: async () => '', broadcast() {} } as unknown as StreamAdapter
    late.restoreSession = async () => {
      if (++looks < 3) throw 'session or offset not found'
      return { sid: 'me', rooms: [], missedPackets: [] }
    }
    closeRecoveryGap(late)
    expect(await late.restoreSession('private', '1-1')).toMatchObject({ sid: 'me' })
    expect(looks).toBe(3)
  })

  it('that cannot be restored says so, and keeps nothing', async () => {
    const { adapter, answer, heard } = setUp()
    const restoring = adapter.restoreSession('private', '1-1')
    answer.reject(new Error('invalid offset'))
    await expect(restoring).rejects.toThrow('invalid offset')
    adapter.onMessage(news('b'), '1-4')
    expect(heard).toEqual([{ offset: '1-4', except: [] }])
  })
})
