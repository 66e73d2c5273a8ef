import { Transform } from 'node:stream'
import { openRelay, type Relay } from './relay.ts'

/** What a pooler such as PgBouncer does to the numbers of backends: its clients get made-up ones, since a backend serves many. */
export async function openPooler(targetPort: number): Promise<Relay> {
  return await openRelay(targetPort, renumbering)
}

/** A kind and a length, which counts itself. */
const HEAD_BYTES = 5
/** "This is the number of your backend." */
const BACKEND_KEY_DATA = 'K'

function renumbering(): Transform {
  let unread = Buffer.alloc(0)
  let isRenumbered = false
  return new Transform({
    transform(chunk: Buffer, _, passOn) {
      if (isRenumbered) return passOn(null, chunk)
      unread = Buffer.concat([unread, chunk])
      let end = 0
      for (let size = sizeAt(unread, end); !isRenumbered && end + size <= unread.length; size = sizeAt(unread, end)) {
        isRenumbered = unread.toString('latin1', end, end + 1) === BACKEND_KEY_DATA
        if (isRenumbered) unread.writeInt32BE(unread.readInt32BE(end + HEAD_BYTES) + 1_000_000_000, end + HEAD_BYTES)
        end += size
      }
      if (isRenumbered) end = unread.length
      const whole = unread.subarray(0, end)
      unread = unread.subarray(end)
      passOn(null, whole)
    },
  })
}

const sizeAt = (bytes: Buffer, at: number): number => (bytes.length < at + HEAD_BYTES ? Number.POSITIVE_INFINITY : 1 + bytes.readInt32BE(at + 1))
