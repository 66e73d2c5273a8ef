import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseGates, emptiestOf, type Gate } from '../../packages/supervisor/src/policy/gate.ts'

const fleets = fc
  .array(fc.record({ connections: fc.nat(10_000), takesMore: fc.boolean(), isSilent: fc.boolean(), isOpen: fc.boolean() }), { maxLength: 12 })
  .map((gates) => gates.map((gate, index): Gate => ({ workerId: index + 1, ...gate })))

const after = (gates: readonly Gate[]): Gate[] => {
  const moves = new Map(chooseGates(gates).map(({ workerId, open }) => [workerId, open]))
  return gates.map((gate) => ({ ...gate, isOpen: moves.get(gate.workerId) ?? gate.isOpen }))
}

const gate = (workerId: number, connections: number, fields: Partial<Gate> = {}): Gate => ({
  workerId,
  connections,
  takesMore: true,
  isSilent: false,
  isOpen: true,
  ...fields,
})

describe('gates', () => {
  test('the emptiest worker that answers is open, and all are when there is none', () => {
    fc.assert(
      fc.property(fleets, (gates) => {
        const emptiest = emptiestOf(gates)
        const open = after(gates).filter(({ isOpen }) => isOpen)
        if (emptiest === null) expect(open.length).toBe(gates.length)
        else expect(open.map(({ workerId }) => workerId)).toContain(emptiest.workerId)
      }),
    )
  })

  test('nothing moves twice', () => {
    fc.assert(
      fc.property(fleets, (gates) => {
        expect(chooseGates(after(gates))).toEqual([])
      }),
    )
  })

  test('no open gate is far above the emptiest', () => {
    fc.assert(
      fc.property(fleets, (gates) => {
        const emptiest = emptiestOf(gates)
        fc.pre(emptiest !== null)
        const mean = gates.reduce((sum, { connections }) => sum + connections, 0) / gates.length
        for (const { connections, isOpen } of after(gates)) {
          if (isOpen) expect(connections - (emptiest as Gate).connections).toBeLessThanOrEqual(Math.max(8, mean * 0.06))
        }
      }),
    )
  })

  test('a few connections more shut nothing, and a shut gate opens when half of the slack is left', () => {
    expect(chooseGates([gate(1, 8), gate(2, 0)])).toEqual([])
    expect(chooseGates([gate(1, 9), gate(2, 0)])).toEqual([{ workerId: 1, open: false }])
    expect(chooseGates([gate(1, 9, { isOpen: false }), gate(2, 4)])).toEqual([])
    expect(chooseGates([gate(1, 9, { isOpen: false }), gate(2, 5)])).toEqual([{ workerId: 1, open: true }])
  })

  test('nobody waits for a worker that is silent or has no room', () => {
    for (const fields of [{ isSilent: true }, { takesMore: false }]) {
      expect(chooseGates([gate(1, 100, { isOpen: false }), gate(2, 0, fields)])).toEqual([{ workerId: 1, open: true }])
    }
  })
})
