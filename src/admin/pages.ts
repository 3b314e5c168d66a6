import { about } from './about.ts'
import { account } from './account.ts'
import { audit } from './audit.ts'
import { dashboard } from './dashboard.ts'
import type { Page } from './frame/page.ts'
import { projects } from './projects.ts'
import { settings } from './settings.ts'
import { settingsAlerts } from './settings-alerts.ts'
import { settingsData } from './settings-data.ts'
import { settingsSessions } from './settings-sessions.ts'
import { settingsUser } from './settings-user.ts'
import { settingsUsers } from './settings-users.ts'

/** Every page, in the order of the navigation. A path with `:id` comes after those that it would take for one. */
export const PAGES: readonly Page[] = [
  dashboard,
  projects,
  audit,
  settings,
  settingsUsers,
  settingsUser,
  settingsSessions,
  settingsAlerts,
  settingsData,
  about,
  account,
]
