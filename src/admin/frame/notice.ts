import type { Request, Response } from 'express'
import { clearCookie, readCookie, setCookie } from './cookies.ts'

const MAX_LENGTH = 300
const LIFE_MS = 60_000

/** A word of what was done, for the page that comes next. Never a secret. */
export function leaveNotice(req: Request, res: Response, text: string): void {
  setCookie(req, res, 'notice', text.slice(0, MAX_LENGTH), { maxAgeMs: LIFE_MS })
}

/** The word that was left, once. */
export function takeNotice(req: Request, res: Response): string | null {
  const notice = readCookie(req, 'notice')
  if (notice === null || notice === '') return null
  clearCookie(req, res, 'notice')
  return notice.slice(0, MAX_LENGTH)
}
