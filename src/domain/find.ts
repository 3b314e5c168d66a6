import { GatewayError } from '../errors.ts'
import type { Project, Store, StoredRoute, Token } from '../store/store.ts'

/** Throws `not_found`. */
export async function requireProject({ projects }: Pick<Store, 'projects'>, id: string): Promise<Project> {
  const project = await projects.get(id)
  if (project === null) throw new GatewayError('not_found', { message: 'There is no such project.' })
  return project
}

/** Throws `not_found`. */
export async function requireToken({ tokens }: Pick<Store, 'tokens'>, id: string): Promise<Token> {
  const token = await tokens.get(id)
  if (token === null) throw new GatewayError('not_found', { message: 'There is no such token.' })
  return token
}

/** Throws `not_found`. */
export async function requireRoute({ routes }: Pick<Store, 'routes'>, id: string): Promise<StoredRoute> {
  const route = await routes.get(id)
  if (route === null) throw new GatewayError('not_found', { message: 'There is no such route in the database.' })
  return route
}
