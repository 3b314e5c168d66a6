/** The text a model generated, from a whole JSON answer: chat, completions, responses; Anthropic's messages, Gemini's candidates. */
export function jsonText(body: Record<string, unknown>): string {
  const parts: string[] = []
  for (const choice of list(body.choices)) {
    collectMessage(record(choice.message), parts)
    push(parts, choice.text)
  }
  for (const item of list(body.output)) {
    for (const part of [...list(item.content), ...list(item.summary)]) push(parts, part.text)
    push(parts, item.arguments)
  }
  for (const block of list(body.content)) {
    push(parts, block.text)
    push(parts, block.thinking)
    if (block.type === 'tool_use') collectCall(block.name, block.input, parts)
  }
  for (const candidate of list(body.candidates))
    for (const part of list(record(candidate.content).parts)) {
      push(parts, part.text)
      const { name, args } = record(part.functionCall)
      collectCall(name, args, parts)
    }
  return parts.join('')
}

/** What a call has as an object its model wrote as JSON. */
function collectCall(name: unknown, input: unknown, parts: string[]): void {
  push(parts, name)
  if (typeof input === 'object' && input !== null) parts.push(JSON.stringify(input))
}

/** The same of a JSON answer that broke off: its beginning, to the last letter. Escapes count as they are written. */
export function cutJsonText(json: string): string {
  return Array.from(json.matchAll(TEXT_MEMBERS), ([, , text]) => text).join('')
}

/** Members that hold generated text, and their values; the last one may lack its end. What a response repeats of its request has other names. */
const TEXT_MEMBERS =
  /"(content|text|thinking|arguments|refusal|reasoning|reasoning_content)"\s*:\s*"((?:[^"\\]|\\.)*)/gs

/** The text in the JSON of stream events: chat and completions chunks, responses deltas. */
export function streamText(bodies: Iterable<Record<string, unknown>>): string {
  const parts: string[] = []
  for (const body of bodies) {
    if (typeof body.delta === 'string') parts.push(body.delta)
    for (const choice of list(body.choices)) {
      collectMessage(record(choice.delta), parts)
      push(parts, choice.text)
    }
  }
  return parts.join('')
}

function collectMessage(message: Record<string, unknown>, parts: string[]): void {
  push(parts, message.content)
  for (const part of list(message.content)) push(parts, part.text)
  const legacyCall = record(message.function_call)
  push(parts, legacyCall.name)
  push(parts, legacyCall.arguments)
  push(parts, message.reasoning_content)
  push(parts, message.reasoning)
  push(parts, message.refusal)
  for (const call of list(message.tool_calls)) {
    const called = record(call.function)
    push(parts, called.name)
    push(parts, called.arguments)
  }
}

/** The text that a request sends: what an estimate of its input counts. Images and files are left out, as are their bytes. */
export function requestText(body: Record<string, unknown>): string {
  const parts: string[] = []
  for (const key of ['messages', 'input', 'prompt', 'instructions', 'tools', 'system', 'contents', 'systemInstruction'])
    collectStrings(body[key], parts, 0)
  return parts.join('\n')
}

/** A file's bytes; no text runs on like that. */
const BASE64 = /^[A-Za-z0-9+/_=-]{1024}/

function collectStrings(value: unknown, parts: string[], depth: number): void {
  if (typeof value === 'string') {
    if (!value.startsWith('data:') && !BASE64.test(value)) parts.push(value)
  } else if (depth < 12 && typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collectStrings(inner, parts, depth + 1)
  }
}

const push = (parts: string[], value: unknown) => {
  if (typeof value === 'string') parts.push(value)
}
const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
const list = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : []
