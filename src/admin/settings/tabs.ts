import type { Visit } from '../frame/visit.ts'

/** The pages of the settings that this visitor may see. */
export const tabsFor = (visit: Pick<Visit, 'may'>): { href: string; label: string }[] => [
  { href: '/admin/settings', label: 'Configuration' },
  ...(visit.may('manage_users')
    ? [
        { href: '/admin/settings/users', label: 'Users' },
        { href: '/admin/settings/sessions', label: 'Sessions' },
      ]
    : []),
  { href: '/admin/settings/alerts', label: 'Alerts' },
  { href: '/admin/settings/data', label: 'Data and backup' },
]

export const ABOVE = [{ label: 'Settings', href: '/admin/settings' }]
