import type { Project } from '../../store/store.ts'

const MAX_CHOICES = 500

/** Projects by name, for a choice; of very many the first ones, and in any case the chosen one. */
export function projectChoices(projects: readonly Project[], chosen: string): [id: string, name: string][] {
  const byName = projects.toSorted((a, b) => a.name.localeCompare(b.name))
  const shown = byName.slice(0, MAX_CHOICES)
  const missing = byName.slice(MAX_CHOICES).find(({ id }) => id === chosen)
  return [...(missing ? [missing] : []), ...shown].map(({ id, name, isActive }) => [
    id,
    isActive ? name : `${name} (switched off)`,
  ])
}
