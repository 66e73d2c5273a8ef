import { describe, expect, test } from 'vitest'
import { openToReplicas, ownAddress } from '../../packages/supervisor/src/primary/replica-port.ts'

type Interfaces = NonNullable<Parameters<typeof ownAddress>[1]>

/** A machine with these addresses; of those within it, the first of each family. */
function machine(...addresses: readonly string[]): Interfaces {
  const all = ['127.0.0.1', '::1', ...addresses]
  const interfaces = all.map((address, index) => ({ address, family: address.includes(':') ? 'IPv6' : 'IPv4', internal: index < 2 }))
  return { eth0: interfaces } as unknown as Interfaces
}

describe('the address that other replicas are told', () => {
  test.each([
    ['::', ['203.0.113.5', '10.0.0.7', 'fe80::1', '2001:db8::5', 'fd12::7'], '[fd12::7]:9470'],
    ['::', ['203.0.113.5', '10.0.0.7', 'fe80::1', '2001:db8::5'], '10.0.0.7:9470'],
    ['::', ['fe80::1', '2001:db8::5'], '[2001:db8::5]:9470'],
    ['0.0.0.0', ['fd12::7', '203.0.113.5', '172.20.0.3'], '172.20.0.3:9470'],
    ['0.0.0.0', ['fd12::7'], null],
    ['::', ['fe80::1'], null],
    ['fd12::9', [], '[fd12::9]:9470'],
    ['127.0.0.1', ['fd12::7'], '127.0.0.1:9470'],
  ])('listening on %s of a machine with %j is %j', (host, addresses, expected) => {
    expect(ownAddress({ host, port: 9470 }, machine(...addresses))).toBe(expected)
  })

  test('is what is said, where something is said', async () => {
    const given = { listen: { host: 'localhost', port: 9470 }, address: { host: 'app.internal', port: 7000 }, secret: 's' }
    expect(await openToReplicas(given)).toMatchObject({ address: 'app.internal:7000', launch: { listen: { port: 9470 }, secret: 's' } })
  })

  test('cannot be that of a machine that does not exist', async () => {
    const given = { listen: { host: 'nowhere.invalid', port: 9470 }, address: null, secret: 's' }
    await expect(openToReplicas(given)).rejects.toThrow(
      'replica.listen: there is no nowhere.invalid; name an address of this machine, or [::] for all.',
    )
  })
})
