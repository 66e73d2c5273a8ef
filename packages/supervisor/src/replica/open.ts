import type { Coordination } from '../primary/ports.ts'
import { Membership, type MembershipOptions } from './membership.ts'
import { openRedis } from './redis-client.ts'

export interface OpenOptions extends Omit<MembershipOptions, 'client'> {
  readonly url: string
  /** The app's entry point: its copy of `ioredis` is used where we have none. */
  readonly entry: string
}

/** @throws StationmasterError `SM_PACKAGE_MISSING` if `ioredis` is not installed */
export function openCoordination({ url, entry, ...options }: OpenOptions): Coordination {
  return new Membership({ ...options, client: openRedis(url, entry) })
}
