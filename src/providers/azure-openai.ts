import { likeOpenAi, type Provider, type Settings, speaksChat, speaksResponses } from './provider.ts'

/**
 * Models are called by the names of their deployments. Two generations of its API, of which the operator's version says which:
 * - none: `/openai/v1`, as OpenAI has it, without `api-version` (`preview` is this one with it);
 * - a date: `/openai/deployments/{deployment}/…?api-version=2024-10-21`.
 * Its list of models is of those that could be deployed. Source: learn.microsoft.com, Azure OpenAI, API version lifecycle and REST reference.
 */
export const azureOpenai = {
  ...likeOpenAi,
  name: 'azure-openai',
  baseUrl: null,
  authHeaders: (key) => ({ 'api-key': key }),
  speaks: [speaksChat, speaksResponses],
  modelListing: null,
  adapt: (settings) => (isDate(settings.apiVersion) ? byDeployment(settings) : byModel(settings)),
} as const satisfies Provider

const isDate = (version: string | null): version is string => version !== null && /^\d/.test(version)

function byModel({ baseUrl, apiVersion }: Settings): Partial<Provider> {
  if (baseUrl === null) return {}
  const url = new URL(baseUrl)
  const path = url.pathname.replace(/\/+$/, '')
  // As the portal shows it, as the SDKs want it, or whole; anything else is a gateway's, who knows what it does.
  const below = path === '' ? '/openai/v1' : path === '/openai' ? '/openai/v1' : path
  const adapted: Partial<Provider> = { baseUrl: `${url.origin}${below}` }
  if (apiVersion !== 'preview') return adapted
  const versioned = (path: string) => withVersion(path, apiVersion)
  return {
    ...adapted,
    speaks: [speaksChat, speaksResponses].map((speech) => ({
      ...speech,
      path: () => versioned(speech.path('', false)),
    })),
    pathOf: versioned,
    probe: { path: versioned('/models') },
  }
}

/** What works on a deployment; everything else (files, batches, assistants …) stands beside the deployments. */
const OF_DEPLOYMENTS =
  /^\/(?:(?:chat\/)?completions|embeddings|images\/(?:generations|edits)|audio\/(?:speech|transcriptions|translations))$/

/** The first version with `stream_options`. */
const FIRST_STREAM_OPTIONS = '2024-09-01'

function byDeployment({ baseUrl, apiVersion }: Settings): Partial<Provider> {
  if (baseUrl === null) return {}
  const url = new URL(baseUrl)
  const path = url.pathname.replace(/\/+$/, '').replace(/\/openai\/v1$/, '/openai')
  const version = apiVersion!
  const deployed = (model: string, below: string) => withVersion(`/deployments/${segmentOf(model)}${below}`, version)
  return {
    baseUrl: `${url.origin}${path === '' ? '/openai' : path}`,
    speaks: [{ ...speaksChat, path: (model) => deployed(model, '/chat/completions') }],
    pathOf(below, model) {
      if (!OF_DEPLOYMENTS.test(below)) return withVersion(below, version)
      return model === null ? null : deployed(model, below)
    },
    takesStreamOptions: version >= FIRST_STREAM_OPTIONS,
    probe: { path: withVersion('/models', version) },
  }
}

/** Callers choose the name: one of dots would be another path. */
const segmentOf = (model: string) => (/^\.{1,2}$/.test(model) ? '_' : encodeURIComponent(model))

const withVersion = (path: string, version: string) => `${path}?api-version=${encodeURIComponent(version)}`
