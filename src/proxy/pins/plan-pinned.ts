import type { Caller } from '../../domain/token-index.ts'
import { GatewayError } from '../../errors.ts'
import type { Providers } from '../../providers/index.ts'
import { authorizeModel } from '../authenticate.ts'
import { splitPrefix } from '../locate.ts'
import { spellingsOf, type Target } from '../plan.ts'
import type { Account } from './account.ts'

/**
 * The one target of a request that needs an object of this account: there is no other to fail over to. A model without a provider in
 * front is asked for as it stands. Throws `model_not_allowed`, `conflict` when the model is said to be another provider's.
 */
export function planPinned(
  providers: Providers,
  caller: Caller,
  { provider, key, keyId }: Account,
  model: string | null,
  mount: string | null,
): Target {
  if (model === null) return { provider, model, key, keyId }
  const named = mount === null ? splitPrefix(providers, model) : null
  const name = named?.provider.name === provider.name ? named.name : model
  if (named?.isExact && name === model)
    throw new GatewayError('conflict', {
      message: `The request needs an object that \`${provider.name}\` has, and a model of \`${named.provider.name}\`: \`${model}\`. Ask for a model of \`${provider.name}\`.`,
      param: 'model',
      headers: { 'x-should-retry': 'false' },
    })
  authorizeModel(caller, spellingsOf(providers, model, provider, name))
  return { provider, model: name, key, keyId }
}
