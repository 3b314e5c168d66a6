import type { Usage } from '../../store/store.ts'
import type { Json } from '../dialect.ts'
import type { HubRequest } from '../hub.ts'
import { buildFormat, buildTool, buildToolChoice } from './build-settings.ts'
import { buildUsage } from './usage.ts'

export type ResponseHead = { id: string; model: string; created: number }

/** What an answer goes by: its id, and what the ids of its items are made of (64 characters of a word at most). */
export function idsOf(id: string, now: number): { id: string; base: string } {
  const base = (id.replace(/^resp_/, '') || String(now)).replace(/[^\w-]/g, '_').slice(0, 48)
  return { id: id.startsWith('resp_') ? id : `resp_${base}`, base }
}

type State = {
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  output?: Json[]
  usage?: Usage | null
  /** Why it is incomplete. */
  reason?: string | null
  error?: { code: string; message: string }
  serviceTier?: string | null
}

/** The response object, complete with what it repeats of the request: the types of SDKs count on all of it. */
export function buildResponse({ id, model, created }: ResponseHead, request: HubRequest, state: State): Json {
  return {
    id,
    object: 'response',
    created_at: created,
    status: state.status,
    background: false,
    error: state.error ?? null,
    incomplete_details: state.reason ? { reason: state.reason } : null,
    instructions: instructionsOf(request),
    max_output_tokens: request.maxTokens,
    max_tool_calls: null,
    model,
    output: state.output ?? [],
    parallel_tool_calls: request.parallelToolCalls ?? true,
    previous_response_id: null,
    prompt_cache_key: null,
    reasoning: {
      effort: request.reasoning?.effort ?? null,
      summary: request.reasoning?.shown === true ? 'auto' : null,
    },
    safety_identifier: request.user,
    service_tier: state.serviceTier ?? request.serviceTier,
    store: false,
    temperature: request.temperature,
    text: { format: buildFormat(request.format ?? { type: 'text' }) },
    tool_choice: request.toolChoice ? buildToolChoice(request.toolChoice) : 'auto',
    tools: request.tools.map(buildTool),
    top_logprobs: request.logprobs ?? 0,
    top_p: request.topP,
    truncation: 'disabled',
    usage: state.usage ? buildUsage(state.usage) : null,
    user: null,
    metadata: request.metadata ?? {},
  }
}

/** They are the conversation's first message. */
function instructionsOf({ messages: [first] }: HubRequest): string | null {
  if (first?.role !== 'system') return null
  return first.parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}
