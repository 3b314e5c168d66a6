import type { Json } from '../dialect.ts'
import { records, text } from '../read.ts'

/** A model as the lists of this dialect tell it. Limits are in tokens; null: not known. */
export type ListedModel = { id: string; name: string; maxInput: number | null; maxOutput: number | null }

/** `GET …/models`. */
export const buildModels = (models: ListedModel[]): Json => ({ models: models.map(buildModel) })

/** `GET …/models/{model}`. */
export const buildModel = ({ id, name, maxInput, maxOutput }: ListedModel): Json => ({
  name: `models/${id}`,
  displayName: name,
  ...(maxInput !== null && { inputTokenLimit: maxInput }),
  ...(maxOutput !== null && { outputTokenLimit: maxOutput }),
  supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
})

/** Those of a provider's list that generate text or embeddings. */
export const parseModels = ({ models }: Json): ListedModel[] =>
  records(models)
    .filter(({ supportedGenerationMethods: methods }) => !Array.isArray(methods) || methods.some(isServed))
    .map(({ name, displayName, inputTokenLimit, outputTokenLimit }) => {
      const id = text(name).replace(/^models\//, '')
      return { id, name: text(displayName) || id, maxInput: limit(inputTokenLimit), maxOutput: limit(outputTokenLimit) }
    })

const isServed = (method: unknown) => method === 'generateContent' || method === 'embedContent'
const limit = (value: unknown) => (typeof value === 'number' && value > 0 ? value : null)
