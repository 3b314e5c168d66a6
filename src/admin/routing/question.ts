import type { AppContext } from '../../context.ts'
import { DEFAULT_PROJECT } from '../../domain/default-project.ts'
import { toGatewayError } from '../../errors.ts'
import type { Project } from '../../store/store.ts'
import type { Visit } from '../frame/visit.ts'

type Explain = AppContext['explain']
export type Explanation = Awaited<ReturnType<Explain>>
type Question = Parameters<Explain>[0]

/** What was typed. */
export type Asked = Record<'model' | 'project' | 'token' | 'endpoint' | 'headers' | 'body', string>
export type Explained = {
  asked: Asked
  /** Reasons by the names of fields. */
  problems: Partial<Record<keyof Asked, string>>
  /** What was asked, and the answer; null: nothing was asked, or it could not be. */
  question: Question | null
  explanation: Explanation | null
}

export const ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/images/generations',
]

/** The form's question, answered by the code that serves requests. Nothing is sent or counted. */
export async function readExplained({ ctx, query }: Visit, projects: readonly Project[]): Promise<Explained> {
  const asked: Asked = {
    model: query.text('model'),
    project: query.text('project') || usualProject(query, projects),
    token: query.text('token'),
    endpoint: query.text('endpoint') || ENDPOINTS[0]!,
    headers: query.text('headers'),
    body: query.text('body'),
  }
  const unanswered = { asked, problems: {}, question: null, explanation: null }
  if (asked.model === '' && asked.body === '') return unanswered
  const { question, problems } = toQuestion(asked, projects)
  if (question === null) return { ...unanswered, problems }
  try {
    return { asked, problems: {}, question, explanation: await ctx.explain(question) }
  } catch (thrown) {
    const error = toGatewayError(thrown)
    if (error.code !== 'not_found') throw thrown
    const field = question.tokenId === null ? 'project' : 'token'
    return { ...unanswered, problems: { [field]: 'is not known here' } }
  }
}

/** Chosen before anybody has asked: the one that tokens are of where nothing else was said. */
function usualProject(query: Visit['query'], projects: readonly Project[]): string {
  if (['model', 'body', 'token'].some((name) => query.text(name) !== '')) return ''
  return (projects.find(({ name }) => name === DEFAULT_PROJECT) ?? projects[0])?.id ?? ''
}

function toQuestion(
  asked: Asked,
  projects: readonly Project[],
): { question: Question | null } & Pick<Explained, 'problems'> {
  const problems: Explained['problems'] = {}
  const { token, endpoint } = asked
  if (token === '' && asked.project === '') problems.project = 'is required, or the id of a token'
  if (token !== '' && !token.startsWith('tok_'))
    problems.token = 'must be the id of a token (tok_…), not the token itself'
  if (!endpoint.startsWith('/') || endpoint.length > 2000) problems.endpoint = 'must be a path, as /v1/chat/completions'
  const headers = readHeaders(asked.headers)
  if (headers === null) problems.headers = 'must have lines like x-tier: gold'
  const request = readRequest(asked)
  if (request === null) problems.body = 'must be a JSON object'
  if (headers === null || request === null || Object.keys(problems).length > 0) return { question: null, problems }
  const project = projects.find(({ id, name }) => id === asked.project || name === asked.project)
  const who =
    token === '' ? { tokenId: null, projectId: project?.id ?? asked.project } : { tokenId: token, projectId: null }
  return { question: { ...who, endpoint, headers, request }, problems }
}

function readHeaders(text: string): Record<string, string> | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const pairs = lines.map((line) => /^\s*([\w!#$%&'*+.^`|~-]+)\s*:\s*(.*?)\s*$/.exec(line))
  if (pairs.includes(null)) return null
  return Object.fromEntries(pairs.map((pair) => [pair![1]!.toLowerCase(), pair![2]!]))
}

function readRequest({ model, endpoint, body }: Asked): Question['request'] | null {
  const named = model === '' ? {} : { model }
  if (body === '') return { ...named, ...sampleFor(endpoint) }
  try {
    const read: unknown = JSON.parse(body)
    const isObject = typeof read === 'object' && read !== null && !Array.isArray(read)
    return isObject ? { ...(read as Question['request']), ...named } : null
  } catch {
    return null
  }
}

/** The shortest request that the endpoint takes. */
function sampleFor(endpoint: string): Question['request'] {
  const messages = [{ role: 'user', content: 'Hello' }]
  if (endpoint.endsWith('/messages')) return { max_tokens: 1024, messages }
  if (endpoint.endsWith('/responses') || endpoint.endsWith('/embeddings')) return { input: 'Hello' }
  if (endpoint.endsWith('/chat/completions')) return { messages }
  return { prompt: 'Hello' }
}
