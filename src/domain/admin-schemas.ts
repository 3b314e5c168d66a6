import { z } from 'zod'

/* What people write of admin users; the OpenAPI document is made of the same schemas. */

export const ADMIN_ROLES = ['owner', 'admin', 'viewer'] as const

const name = z
  .string()
  .trim()
  .min(1)
  .max(150)
  .regex(/^[^\p{C}]*$/u, { error: 'must not contain control characters' })
  .describe('What one signs in with, often an e-mail address; unique without regard to case.')
const role = z.enum(ADMIN_ROLES)
const projectId = z.string().min(1).max(200).describe('Of a viewer: the only project that is seen; null: all.')
/** The rules of passwords know the user's name: see passwords.ts. */
const password = z.string()
const PASSWORD = '12 characters or more, and none that everybody has. Write-only.'

export const createAdminUserInput = z.strictObject({
  name,
  role,
  project_id: projectId.nullish(),
  password: password.nullish().describe(`${PASSWORD} None: the user signs in with single sign-on alone.`),
  is_active: z.boolean().optional(),
})

export const firstAdminInput = z.strictObject({ name, password })

export const updateAdminUserInput = z.strictObject({
  name: name.optional(),
  role: role.optional(),
  project_id: projectId.nullish(),
  password: password.optional().describe(`${PASSWORD} Ends the user's sessions.`),
  is_active: z.boolean().optional().describe("False ends the user's sessions, too."),
  second_factor: z.literal(false).optional().describe('False takes it away, with its recovery codes.'),
})

export const changePasswordInput = z.strictObject({ current_password: z.string(), new_password: password })
