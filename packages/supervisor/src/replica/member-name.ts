import { createHash, randomBytes } from 'node:crypto'

const GROUP_LENGTH = 4

/** Of one start of one replica; its database connections carry it. It begins alike for all that meet at one key of Redis. */
export function makeMember(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, GROUP_LENGTH) + randomBytes(4).toString('hex')
}

export function isOfGroup(member: string, ours: string): boolean {
  return member.slice(0, GROUP_LENGTH) === ours.slice(0, GROUP_LENGTH)
}
