import type { Usage } from '../../store/store.ts'
import type { AnswerFacts, StreamBuilder } from '../dialect.ts'
import type { HubEvent } from '../hub.ts'
import { buildError } from '../openai-error.ts'
import { buildCitation } from './build-answer.ts'
import { sealDetail, textDetail } from './extensions.ts'
import { buildFinish } from './finish.ts'
import { buildLogprobs } from './logprobs.ts'
import { buildUsage } from './usage.ts'

/** In OpenAI's order: the role first, content, one finish reason for each choice, usage where it was asked for, `[DONE]`. */
export function createStreamBuilder({ now, model: asked, request }: AnswerFacts): StreamBuilder {
  let head = ''
  let usage: Usage | null = null
  const begun = new Set<number>()
  /** Characters of text so far, which citations count in. */
  const lengths = new Map<number, number>()

  const open = (id: string, model: string, created: number | null) => {
    head = `data: {"id":${JSON.stringify(id || `chatcmpl-${now}`)},"object":"chat.completion.chunk","created":${created ?? now},"model":${JSON.stringify(model || asked)},"choices":[`
  }
  /** `delta` is JSON text. */
  const chunk = (choice: number, delta: string, rest = '"finish_reason":null') => {
    if (head === '') open('', asked, null)
    const role = begun.has(choice)
      ? ''
      : `${head}{"index":${choice},"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n`
    begun.add(choice)
    return `${role}${head}{"index":${choice},"delta":${delta},${rest}}]}\n\n`
  }
  const details = (choice: number, detail: object) => chunk(choice, `{"reasoning_details":[${JSON.stringify(detail)}]}`)

  const build = (event: HubEvent): string => {
    switch (event.type) {
      case 'start':
        open(event.id, event.model, event.created)
        return ''
      case 'text':
        lengths.set(event.choice, (lengths.get(event.choice) ?? 0) + event.text.length)
        return chunk(event.choice, `{"content":${JSON.stringify(event.text)}}`)
      case 'reasoning':
        return chunk(event.choice, `{"reasoning_content":${JSON.stringify(event.text)}}`)
      case 'signature':
        return details(event.choice, textDetail('', event.signature))
      case 'redacted':
        return details(event.choice, sealDetail(event.data))
      case 'refusal':
        return chunk(event.choice, `{"refusal":${JSON.stringify(event.text)}}`)
      case 'tool_call': {
        const { choice, call, id, name, signature } = event
        const opened = { index: call, id, type: 'function', function: { name, arguments: '' } }
        const seal = signature === undefined ? '' : details(choice, sealDetail(signature, id))
        return seal + chunk(choice, `{"tool_calls":[${JSON.stringify(opened)}]}`)
      }
      case 'arguments':
        return chunk(
          event.choice,
          `{"tool_calls":[{"index":${event.call},"function":{"arguments":${JSON.stringify(event.json)}}}]}`,
        )
      case 'citation':
        return chunk(
          event.choice,
          `{"annotations":[${JSON.stringify(buildCitation(event.citation, lengths.get(event.choice) ?? 0, ''))}]}`,
        )
      case 'logprobs':
        return chunk(
          event.choice,
          '{}',
          `"logprobs":${JSON.stringify(buildLogprobs(event.logprobs))},"finish_reason":null`,
        )
      case 'finish':
        return chunk(event.choice, '{}', `"finish_reason":"${buildFinish(event.reason)}"`)
      case 'usage':
        usage = event.usage
        return ''
      case 'ping':
        return ': ping\n\n'
      case 'error':
        return `data: ${JSON.stringify(buildError(event.error))}\n\n`
      case 'done':
        return `${usage && request.streamUsage ? `${head}],"usage":${JSON.stringify(buildUsage(usage))}}\n\n` : ''}data: [DONE]\n\n`
    }
  }
  return { push: build }
}
