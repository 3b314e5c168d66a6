import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createIpList, isRange } from '../../src/domain/ip-list.ts'

const allows = (range: string, address: string) => createIpList([range]).allows(address)

describe('a list of addresses', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['192.168.1.0/31', '192.168.1.1', true],
    ['192.168.1.0/31', '192.168.1.2', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['::1', '::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['2001:DB8::A', '2001:db8::a', true],
    ['::/0', '2001:db8::1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
  ])('%s lets %s in: %s', (range, address, expected) => {
    expect(allows(range, address)).toBe(expected)
  })

  it('knows an IPv4 address in its IPv6 clothes', () => {
    expect(allows('10.0.0.0/8', '::ffff:10.1.2.3')).toBe(true)
    expect(allows('10.0.0.0/8', '::ffff:11.1.2.3')).toBe(false)
    expect(allows('10.0.0.0/8', '::FFFF:10.1.2.3')).toBe(true)
    expect(allows('10.0.0.0/8', '::ffff:a01:203')).toBe(true)
    expect(allows('::ffff:10.0.0.0/104', '10.1.2.3')).toBe(true)
    expect(allows('::ffff:10.1.2.3', '::ffff:10.1.2.3')).toBe(true)
  })

  it('that is empty, or asked about nonsense, lets nobody in', () => {
    expect(createIpList([]).allows('10.0.0.1')).toBe(false)
    for (const nonsense of [
      '',
      'localhost',
      '10.0.0',
      '10.0.0.256',
      '10.0.0.1/32',
      '10.0.0.1, 10.0.0.2',
      ' 10.0.0.1',
      '::ffff:',
      'undefined',
    ]) {
      expect(createIpList(['0.0.0.0/0', '::/0']).allows(nonsense)).toBe(false)
    }
  })

  it('is true to its bits, for every IPv4 range and address', () => {
    const number = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    const spell = (n: number) => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.')
    fc.assert(
      fc.property(number, number, fc.nat(32), fc.boolean(), (network, other, bits, near) => {
        const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0
        const address = near ? ((network & mask) | (other & ~mask)) >>> 0 : other
        expect(allows(`${spell(network)}/${bits}`, spell(address))).toBe(((network ^ address) & mask) === 0)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a range', () => {
  it.each(['10.0.0.1', '10.0.0.0/0', '10.0.0.0/32', '::1', '::/128', '2001:db8::/32'])('may be %s', (range) => {
    expect(isRange(range)).toBe(true)
  })

  it.each([
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/8 ',
    '10.0.0.0/0x8',
    '10.0.0.0/8.5',
    '10.0.0',
    '010.0.0.1',
    '10.0.0.1-10.0.0.9',
    '::/129',
    'example.com',
    '*',
  ])('may not be %j', (range) => {
    expect(isRange(range)).toBe(false)
    expect(() => createIpList([range])).toThrow('is not an IP address or CIDR range')
  })
})
