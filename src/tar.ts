/*
 * An archive of files, as every system can open it: the format `ustar` of POSIX.1-1988, with GNU's way to write sizes of 8 GB and more.
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */

const BLOCK = 512
/** What eleven octal digits can say. */
const MAX_OCTAL_SIZE = 8 ** 11

export type TarFile = { name: string; sizeBytes: number; modifiedAt: number }

/** What stands before a file's bytes. Files of the archive can be read by their owner alone. Names: up to 100 bytes of ASCII. */
export function tarHeader({ name, sizeBytes, modifiedAt }: TarFile): Buffer {
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new RangeError(`A name that no archive takes: ${name}`)
  const header = Buffer.alloc(BLOCK)
  const text = (value: string, at: number) => header.write(value, at, 'latin1')
  const octal = (value: number, at: number, digits: number) => text(value.toString(8).padStart(digits, '0'), at)
  text(name, 0)
  octal(0o600, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  if (sizeBytes < MAX_OCTAL_SIZE) octal(sizeBytes, 124, 11)
  else {
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(sizeBytes), 128)
  }
  octal(Math.floor(modifiedAt / 1000), 136, 11)
  text(' '.repeat(8), 148)
  text('0', 156)
  text('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  octal(sum, 148, 6)
  text('\0 ', 154)
  return header
}

/** What fills a file up to the next block. */
export const tarPadding = (sizeBytes: number): Buffer => Buffer.alloc((BLOCK - (sizeBytes % BLOCK)) % BLOCK)

/** What ends an archive. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * BLOCK)
