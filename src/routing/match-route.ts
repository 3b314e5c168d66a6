import { matchesGlob } from '../domain/globs.ts'
import type { Route } from './types.ts'
export const findRoute = (routes: readonly Route[], model: string): Route | null =>
  routes.find(({ pattern }) => pattern === model) ?? routes.find(({ pattern }) => matchesGlob([pattern], model)) ?? null
