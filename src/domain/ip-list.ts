import { BlockList, isIP } from 'node:net'

/** Addresses and CIDR ranges, IPv4 and IPv6; an IPv4 address also matches in its IPv6-mapped form. Throws on a malformed range. */
export function createIpList(ranges: readonly string[]) {
  const list = new BlockList()
  for (const range of ranges) {
    const { address, prefix, family } = parseRange(range)
    list.addSubnet(address, prefix, family)
  }
  return {
    allows(address: string): boolean {
      const plain = address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
      const version = isIP(plain)
      return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

export function isRange(range: string): boolean {
  try {
    parseRange(range)
    return true
  } catch {
    return false
  }
}

function parseRange(range: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } {
  const [address = '', bits, more] = range.split('/')
  const version = isIP(address)
  const widest = version === 4 ? 32 : 128
  const prefix = bits === undefined ? widest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (version === 0 || more !== undefined || !(prefix >= 0 && prefix <= widest)) {
    throw new Error(`${range} is not an IP address or CIDR range`)
  }
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }
}
