/** One finding. `skipped`: there was nothing to look at. */
export type Check = {
  name: string
  status: 'ok' | 'warning' | 'failure' | 'skipped'
  detail: string
  /** What to do about it. */
  advice: string | null
}

type Finding = (name: string, detail: string, advice?: string) => Check

export const ok: Finding = (name, detail) => ({ name, status: 'ok', detail, advice: null })
export const skipped: Finding = (name, detail) => ({ name, status: 'skipped', detail, advice: null })
export const warning: Finding = (name, detail, advice) => ({ name, status: 'warning', detail, advice: advice ?? null })
export const failure: Finding = (name, detail, advice) => ({ name, status: 'failure', detail, advice: advice ?? null })
