import { GatewayError } from '../errors.ts'

/** OWASP's parameters for argon2id: 19 MiB, two passes, one lane. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Of a password that nobody knows: what is verified where there is no other, so that it takes as long. */
export const DUMMY_HASH =
  '$argon2id$v=19$m=19456,p=1,t=2$210zLVDI7lgmMbrS9hD1RQ$ltmXI09qP4LgJe0N9FcwD0CHv48zwePijs9f6cf5CrE'

/** Argon2id as a PHC string. Throws `overloaded`. */
export async function hashPassword(password: string): Promise<string> {
  return inTurn(async () => {
    const { argon2id, hash } = await import('argon2')
    return hash(comparable(password), { ...COST, type: argon2id })
  })
}

/** Whether it is the password of that hash. Throws `overloaded`. */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  return inTurn(async () => {
    const { verify } = await import('argon2')
    // So long is none that was ever taken; it costs what another one does.
    if (password.length > MAX_UNITS) return (await verify(DUMMY_HASH, '')) && false
    return verify(hash, comparable(password))
  })
}

export type VerifyPassword = typeof verifyPassword

/** What is wrong with it as a new password; null: nothing. After NIST SP 800-63B: length and what is notorious, no composition. */
export function passwordProblem(password: string, userName: string): string | null {
  const { length } = Array.from(password)
  if (length < MIN_CHARACTERS) return `must have at least ${MIN_CHARACTERS} characters`
  if (length > MAX_CHARACTERS || password.length > MAX_UNITS) return `must have at most ${MAX_CHARACTERS} characters`
  const plain = comparable(password).toLowerCase()
  const name = comparable(userName).toLowerCase()
  if (plain === name || plain === name.split('@')[0]) return 'must not be the user name'
  if (isNotorious(plain)) return 'is among the first that are guessed; take another'
  return null
}

const MIN_CHARACTERS = 12
const MAX_CHARACTERS = 1024
/** A character may take two of JavaScript's. */
const MAX_UNITS = 2 * MAX_CHARACTERS

/** Keyboards write the same letters in different ways. */
const comparable = (text: string) => text.normalize('NFKC')

/** One to four characters over and over, or one of the list with or without something short behind it. */
function isNotorious(plain: string): boolean {
  if (/^(.{1,4})\1+.{0,3}$/su.test(plain)) return true
  const letters = plain.replace(/[^\p{L}\p{N}]/gu, '')
  return NOTORIOUS.has(letters) || NOTORIOUS.has(letters.replace(/\p{N}{1,4}$/u, ''))
}

/** Made of what lists of broken passwords have most, in the lengths that are allowed here. */
const NOTORIOUS = new Set([
  '123456789012',
  '1234567890123',
  '12345678901234',
  '123456789abc',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  '1qaz2wsx3edc4rfv',
  '210987654321',
  '987654321098',
  'abcdefghijkl',
  'abcdefghijklmnop',
  'administrator',
  'adminpassword',
  'changeme',
  'changemenow',
  'changemeplease',
  'correcthorsebatterystaple',
  'defaultpassword',
  'hunter2hunter2',
  'iloveyou',
  'iloveyousomuch',
  'letmein',
  'letmeinplease',
  'llmproxy',
  'llmproxyadmin',
  'mypassword',
  'openai',
  'openaiopenai',
  'passw0rd',
  'passwordpassword',
  'password',
  'p4ssw0rd',
  'pa55word',
  'qazwsxedcrfv',
  'qwerty',
  'qwertyuiop',
  'qwertyuiopasdf',
  'qwertyuiopasdfgh',
  'qwertzuiopasdf',
  'rootpassword',
  'secret',
  'secretpassword',
  'superuser',
  'thisismypassword',
  'trustno1trustno1',
  'welcome',
  'welcometothejungle',
  'zaqxswcdevfr',
])

const MAX_AT_ONCE = 2
const MAX_WAITING = 32
let running = 0
const waiting: (() => void)[] = []

/** Each takes 19 MiB and a thread that the file system needs too: a few at once, a few more wait, and nobody else gets in. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MAX_AT_ONCE) {
    if (waiting.length >= MAX_WAITING)
      throw new GatewayError('overloaded', { message: 'Too many people sign in at once. Try again shortly.' })
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    // The place goes from hand to hand.
    if (next) next()
    else running--
  }
}
