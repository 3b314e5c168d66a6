import type { Project, Token, TokenState } from '../../store/store.ts'
import { count } from '../frame/format.ts'

/** `name`: as lists are filtered by. `tone`: of its badge. `why`: in a sentence, where there is more to say. */
export type ShownState = { name: TokenState; label: string; tone: 'ok' | 'warn' | 'bad' | ''; why: string | null }

/** What a request with this token would be told now, as far as it depends on nothing but the token and its project. */
export function stateOf(token: Token, project: Pick<Project, 'isActive' | 'name'> | null, now: number): ShownState {
  if (token.revokedAt !== null)
    return { name: 'revoked', label: 'revoked', tone: 'bad', why: 'It was stopped for good: no request is let in.' }
  if (!token.isActive)
    return { name: 'off', label: 'switched off', tone: 'warn', why: 'No request is let in until it is switched on.' }
  if (project !== null && !project.isActive)
    return { name: 'off', label: 'project off', tone: 'warn', why: `Its project ${project.name} is switched off.` }
  if (token.expiresAt !== null && token.expiresAt <= now)
    return { name: 'expired', label: 'expired', tone: 'bad', why: 'Give it a later end to make it work again.' }
  if (token.maxRequests !== null && token.requestCount >= token.maxRequests)
    return {
      name: 'active',
      label: 'used up',
      tone: 'bad',
      why: `All ${count(token.maxRequests, 'request')} are used.`,
    }
  return { name: 'active', label: 'active', tone: 'ok', why: null }
}

/** What people call it: its name, or how it ends. */
export const tokenLabel = ({ name, last4 }: Pick<Token, 'name' | 'last4'>): string => name ?? `…${last4}`
