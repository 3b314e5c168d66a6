import { about } from './about.ts'
import { account } from './account.ts'
import { audit } from './audit.ts'
import { dashboard } from './dashboard.ts'
import type { Page } from './frame/page.ts'
import { project } from './project.ts'
import { projectEdit } from './project-edit.ts'
import { projectNew } from './project-new.ts'
import { projects } from './projects.ts'
import { provider } from './provider.ts'
import { providers } from './providers.ts'
import { request } from './request.ts'
import { requests } from './requests.ts'
import { routeEdit } from './route-edit.ts'
import { routeNew } from './route-new.ts'
import { routing } from './routing.ts'
import { search } from './search.ts'
import { settings } from './settings.ts'
import { settingsAlerts } from './settings-alerts.ts'
import { settingsData } from './settings-data.ts'
import { settingsSessions } from './settings-sessions.ts'
import { settingsUser } from './settings-user.ts'
import { settingsUsers } from './settings-users.ts'
import { token } from './token.ts'
import { tokenEdit } from './token-edit.ts'
import { tokenNew } from './token-new.ts'
import { tokens } from './tokens.ts'
import { tokensRevoke } from './tokens-revoke.ts'
import { usage } from './usage.ts'

/** Every page, in the order of the navigation. A path with `:id` comes after those that it would take for one. */
export const PAGES: readonly Page[] = [
  dashboard,
  requests,
  request,
  usage,
  projects,
  projectNew,
  project,
  projectEdit,
  tokens,
  tokenNew,
  tokensRevoke,
  token,
  tokenEdit,
  routing,
  routeNew,
  routeEdit,
  providers,
  provider,
  search,
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
