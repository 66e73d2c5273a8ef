import type { Peer, ReplicaTotals } from '../policy/replicas.ts'
import type { Cluster, Member, Part } from '../policy/share.ts'
import { amountOf, booleanOf, type Fields, fieldOf, fieldsOf, finiteOf, integerOf, Malformed, orNull, textOf } from './shape.ts'

const MAX_NAME_LENGTH = 255
const MAX = Number.MAX_SAFE_INTEGER

/** Reads what replicas keep in Redis; null if it is none of ours, or of a version that is not understood. Never throws. */
export function parseCluster(text: string): Cluster | null {
  return read(() => clusterOf(fieldsOf(JSON.parse(text))))
}

/** Reads what another replica tells of itself; null if it is not understood. Never throws. */
export function parseSelf(value: unknown): Omit<Peer, 'id'> | null {
  return read(() => {
    const fields = fieldsOf(value)
    return {
      name: textOf(fields, 'name', MAX_NAME_LENGTH),
      address: orNull(fields, 'address', () => textOf(fields, 'address', MAX_NAME_LENGTH)),
      totals: orNull(fields, 'totals', () => totalsOf(fieldsOf(fieldOf(fields, 'totals')))),
    }
  })
}

function read<Value>(what: () => Value): Value | null {
  try {
    return what()
  } catch (error) {
    if (error instanceof Malformed || error instanceof SyntaxError) return null
    throw error
  }
}

function totalsOf(fields: Fields): ReplicaTotals {
  return {
    wanted: orNull(fields, 'wanted', () => amountOf(fields, 'wanted')),
    most: amountOf(fields, 'most'),
    needs: orNull(fields, 'needs', () => amountOf(fields, 'needs')),
  }
}

function clusterOf(fields: Fields): Cluster {
  return {
    epoch: textOf(fields, 'epoch', MAX_NAME_LENGTH),
    version: integerOf(fields, 'version', 0, MAX),
    keeper: orNull(fields, 'keeper', () => textOf(fields, 'keeper', MAX_NAME_LENGTH)),
    calmUntilMs: finiteOf(fields, 'calmUntilMs'),
    isSwept: booleanOf(fields, 'isSwept'),
    members: Object.fromEntries(Object.entries(fieldsOf(fieldOf(fields, 'members'))).map(([id, member]) => [id, memberOf(fieldsOf(member))])),
  }
}

function memberOf(fields: Fields): Member {
  return {
    sequence: integerOf(fields, 'sequence', -1, MAX),
    expiresAtMs: finiteOf(fields, 'expiresAtMs'),
    part: orNull(fields, 'part', () => partOf(fieldsOf(fieldOf(fields, 'part')))),
    says: fieldOf(fields, 'says') ?? null,
  }
}

function partOf(fields: Fields): Part {
  return {
    available: amountOf(fields, 'available'),
    floor: amountOf(fields, 'floor'),
    replicas: amountOf(fields, 'replicas'),
    wants: amountOf(fields, 'wants'),
    granted: finiteOf(fields, 'granted'),
    held: finiteOf(fields, 'held'),
  }
}
