import { z } from 'zod'

/** Words with spaces between them, `openid` among them. */
export const scopes = z
  .string({ error: 'must be text' })
  .transform((text) => text.split(/[\s,]+/).filter((word) => word !== ''))
  .refine((words) => words.includes('openid'), { error: 'must have openid among it' })
  .transform((words) => words.join(' '))

/** Values of a claim with the role that each makes: a map, a list of `value=role`, or that list as text with commas. */
export const roleMap = <const Roles extends readonly string[]>(roles: Roles) =>
  z.preprocess(
    fromList,
    z
      .record(z.string().min(1), z.enum(roles, { error: `must be one of ${roles.join(', ')}` }), {
        error: 'must be a list such as platform=owner,eng=viewer, or a map of values to roles',
      })
      .refine((map) => Object.keys(map).length > 0, { error: 'must not be empty' }),
  )

/** The last `=` counts: names of groups may have some. What has none is left to the schema to refuse. */
function fromList(value: unknown): unknown {
  const entries = typeof value === 'string' ? value.split(/[,\n]/) : value
  if (!Array.isArray(entries)) return entries
  const pairs = entries.map((entry) => /^(.+)=([^=]*)$/s.exec(String(entry).trim()))
  if (pairs.includes(null)) return value
  return Object.fromEntries(pairs.map((pair) => [pair![1]!.trim(), pair![2]!.trim().toLowerCase()]))
}
