import type { Caller } from '../../domain/token-index.ts'
import { GatewayError } from '../../errors.ts'
import type { ConfiguredProvider, Providers } from '../../providers/index.ts'
import type { Pin } from '../../store/store.ts'

/** An account at a provider, as its key stands for it. */
export type Account = { provider: ConfiguredProvider; keyId: string; key: string }

/** In place of the id of a project's key: the operator's own. */
export const SHARED = 'shared'

/**
 * The account that has the object. Where its key is gone and one other key of that provider is left, it is taken for the successor,
 * as keys are changed now and then; the provider knows better. Throws `conflict`.
 */
export function accountOf(providers: Providers, caller: Caller, pin: Pin): Account {
  const provider = providers.get(pin.provider)
  if (provider === null) throw lost(pin, `the provider \`${pin.provider}\`, which is not configured any more`)
  const keys = keysAt(caller, provider)
  const own = keys.find(({ keyId }) => keyId === pin.keyId)
  if (own) return own
  const successors = keys.some(({ keyId }) => keyId !== SHARED) ? keys.filter(({ keyId }) => keyId !== SHARED) : keys
  if (successors.length === 1) return successors[0]!
  const left =
    successors.length === 0 ? 'none is left' : `which of the ${successors.length} others stands for it is not known`
  throw lost(pin, `a key of \`${pin.provider}\` (\`${pin.keyId}\`) that has been deleted, and ${left}`)
}

function keysAt({ keys }: Caller, provider: ConfiguredProvider): Account[] {
  const own = keys.filter(({ provider: name }) => name === provider.name)
  const accounts = own.map(({ id, secret }) => ({ provider, keyId: id, key: secret }))
  return provider.sharedKey === null ? accounts : [...accounts, { provider, keyId: SHARED, key: provider.sharedKey }]
}

const lost = ({ objectId }: Pin, where: string) =>
  new GatewayError('conflict', {
    message: `\`${objectId}\` was made with ${where}. Ask the operator to configure that account for the project as its only one of the provider, or make the object anew.`,
    details: { object: objectId },
    headers: { 'x-should-retry': 'false' },
  })
