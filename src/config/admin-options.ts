import type { AdminRole } from '../store/store.ts'
import type { AdminConfig } from './config.ts'
import type { Findings } from './environment.ts'
import * as parse from './parsers.ts'
import { roleMap, scopes } from './role-parsers.ts'
import type { Option, Values } from './schema.ts'

const ROLES = ['owner', 'admin', 'viewer'] as const satisfies AdminRole[]

/** The admin console and how one signs in to it. */
export const adminOptions = {
  ADMIN_CONSOLE: {
    group: 'admin',
    yaml: 'admin.console',
    parse: parse.flag,
    default: true,
    description: 'The admin console at `/admin`; `false` switches it off.',
  } satisfies Option<boolean, boolean>,
  ADMIN_SESSION_IDLE_MINUTES: {
    group: 'admin',
    yaml: 'admin.session_idle_minutes',
    parse: parse.integer(1, 43_200),
    default: 120,
    description: 'Minutes without a page after which one has to sign in again.',
  } satisfies Option<number, number>,
  ADMIN_SESSION_HOURS: {
    group: 'admin',
    yaml: 'admin.session_hours',
    parse: parse.integer(1, 8_760),
    default: 24,
    description: 'Hours after which one has to sign in again in any case.',
  } satisfies Option<number, number>,
  ADMIN_PASSWORD_SIGN_IN: {
    group: 'admin',
    yaml: 'admin.password_sign_in',
    parse: parse.flag,
    default: true,
    description: '`false`: single sign-on alone.',
  } satisfies Option<boolean, boolean>,
  PUBLIC_URL: {
    group: 'admin',
    yaml: 'public_url',
    parse: parse.baseUrl,
    default: null,
    description:
      'Where people reach the gateway, such as https://llm.example.com: for the way back from single sign-on, and in examples that the console shows.',
  } satisfies Option<string, null>,
  OIDC_ISSUER: {
    group: 'admin',
    yaml: 'admin.oidc.issuer',
    // Compared letter by letter with what the provider calls itself: also a slash at the end counts.
    parse: parse.address,
    default: null,
    description:
      'Address of the OpenID Connect provider; switches single sign-on on. Needs `OIDC_CLIENT_ID` and `PUBLIC_URL`.',
  } satisfies Option<string, null>,
  OIDC_CLIENT_ID: {
    group: 'admin',
    yaml: 'admin.oidc.client_id',
    parse: parse.text,
    default: null,
    description: 'By which name that provider knows the gateway.',
  } satisfies Option<string, null>,
  OIDC_CLIENT_SECRET: {
    group: 'admin',
    yaml: 'admin.oidc.client_secret',
    parse: parse.text,
    default: null,
    secret: true,
    description: 'Its secret there; a public client has none.',
  } satisfies Option<string, null>,
  OIDC_SCOPES: {
    group: 'admin',
    yaml: 'admin.oidc.scopes',
    parse: scopes,
    default: 'openid profile email',
    description: 'What is asked for; `openid` has to be among it.',
  } satisfies Option<string, string>,
  OIDC_NAME_CLAIM: {
    group: 'admin',
    yaml: 'admin.oidc.name_claim',
    parse: parse.text,
    default: 'email',
    description: "The claim that is the user's name.",
  } satisfies Option<string, string>,
  OIDC_ROLE_CLAIM: {
    group: 'admin',
    yaml: 'admin.oidc.role_claim',
    parse: parse.text,
    default: null,
    description:
      'The claim with groups or roles, also as a path (`realm_access.roles`). It decides the role at each sign-in; without it roles are given in the console.',
  } satisfies Option<string, null>,
  OIDC_ROLE_MAP: {
    group: 'admin',
    yaml: 'admin.oidc.role_map',
    parse: roleMap(ROLES),
    default: null,
    description:
      'Which value of that claim makes which role: `platform=owner,eng=viewer`, or a YAML map. The highest wins.',
  } satisfies Option<Record<string, AdminRole>, null>,
  OIDC_DEFAULT_ROLE: {
    group: 'admin',
    yaml: 'admin.oidc.default_role',
    parse: parse.oneOf(ROLES),
    default: null,
    defaultText: 'none: refused',
    description: 'The role of whom no value maps to one: `owner`, `admin`, `viewer`.',
  } satisfies Option<AdminRole, null>,
}

const OIDC_ONLY = [
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'OIDC_ROLE_CLAIM',
  'OIDC_ROLE_MAP',
  'OIDC_DEFAULT_ROLE',
] as const

/** `isSet`: also to what cannot be read, which is told already. `isLoopback`: of a host's name. */
type Looks = { isSet(name: keyof typeof adminOptions): boolean; isLoopback(host: string): boolean }

/** What no option can see alone. */
export function checkAdmin(values: Values, { isSet, isLoopback }: Looks, { problems, warnings }: Findings): void {
  if (values.ADMIN_SESSION_IDLE_MINUTES > values.ADMIN_SESSION_HOURS * 60)
    warnings.push('ADMIN_SESSION_IDLE_MINUTES: longer than ADMIN_SESSION_HOURS, which ends every session before')
  if (!isSet('OIDC_ISSUER')) {
    for (const name of OIDC_ONLY) if (isSet(name)) warnings.push(`${name}: has no effect without OIDC_ISSUER`)
    if (values.ADMIN_CONSOLE && !values.ADMIN_PASSWORD_SIGN_IN)
      problems.push('ADMIN_PASSWORD_SIGN_IN: false, and without OIDC_ISSUER nobody could sign in; set one of the two')
    return
  }
  const isOpen = (url: string | null) =>
    url?.startsWith('http:') === true && !isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''))
  if (isOpen(values.OIDC_ISSUER)) problems.push('OIDC_ISSUER: must start with https:// (or be on this machine)')
  if (!isSet('OIDC_CLIENT_ID')) problems.push('OIDC_CLIENT_ID: is missing, OIDC_ISSUER needs it')
  if (!isSet('PUBLIC_URL'))
    problems.push('PUBLIC_URL: is missing, OIDC_ISSUER needs it: the provider sends people back there')
  if (isOpen(values.PUBLIC_URL))
    warnings.push('PUBLIC_URL: starts with http://, so that others on the way can read who signs in')
  if (isSet('OIDC_ROLE_CLAIM') !== isSet('OIDC_ROLE_MAP'))
    problems.push('OIDC_ROLE_MAP: OIDC_ROLE_CLAIM and OIDC_ROLE_MAP need each other; set both or none')
  if (!isSet('OIDC_ROLE_CLAIM') && !isSet('OIDC_DEFAULT_ROLE'))
    warnings.push(
      'OIDC_DEFAULT_ROLE: not set, and no OIDC_ROLE_CLAIM: single sign-on lets in only users who were made in the console before',
    )
}

export function toAdmin(values: Values): AdminConfig {
  return {
    enabled: values.ADMIN_CONSOLE,
    idleMs: values.ADMIN_SESSION_IDLE_MINUTES * 60_000,
    totalMs: values.ADMIN_SESSION_HOURS * 3_600_000,
    publicUrl: values.PUBLIC_URL,
    passwordSignIn: values.ADMIN_PASSWORD_SIGN_IN,
    oidc:
      values.OIDC_ISSUER === null || values.OIDC_CLIENT_ID === null
        ? null
        : {
            issuer: values.OIDC_ISSUER,
            clientId: values.OIDC_CLIENT_ID,
            clientSecret: values.OIDC_CLIENT_SECRET,
            scopes: values.OIDC_SCOPES,
            nameClaim: values.OIDC_NAME_CLAIM,
            roleClaim: values.OIDC_ROLE_CLAIM,
            roleMap: { ...values.OIDC_ROLE_MAP },
            defaultRole: values.OIDC_DEFAULT_ROLE,
          },
  }
}
