type Fields = Record<string, unknown>

/*
 * `usageMetadata` of Gemini's generateContent. The prompt includes what was cached and not what its own tools fetched; candidates
 * exclude thoughts; `*TokensDetails` are lists by modality. Source: wire facts 3.2 (706 of 712 recorded totals add up so).
 */

/**
 * The same in the names of chat completions, in which the rest is read. Null where neither the prompt nor an answer is counted: a few
 * tell of a total alone, or of the kind of traffic.
 */
export function toTokenCounts(raw: Fields): Fields | null {
  const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount } = raw
  if (promptTokenCount === undefined && candidatesTokenCount === undefined && thoughtsTokenCount === undefined)
    return null
  const prompt = sum(promptTokenCount, raw.toolUsePromptTokenCount)
  const answer = sum(candidatesTokenCount, thoughtsTokenCount)
  if (prompt === null && answer === null) return null
  return {
    prompt_tokens: prompt,
    completion_tokens: answer ?? 0,
    prompt_tokens_details: {
      cached_tokens: raw.cachedContentTokenCount,
      audio_tokens: sum(ofKind(raw.promptTokensDetails, 'AUDIO'), ofKind(raw.toolUsePromptTokensDetails, 'AUDIO')),
      image_tokens: sum(ofKind(raw.promptTokensDetails, 'IMAGE'), ofKind(raw.toolUsePromptTokensDetails, 'IMAGE')),
      cached_tokens_details: {
        audio_tokens: ofKind(raw.cacheTokensDetails, 'AUDIO'),
        image_tokens: ofKind(raw.cacheTokensDetails, 'IMAGE'),
      },
    },
    completion_tokens_details: {
      reasoning_tokens: thoughtsTokenCount,
      audio_tokens: ofKind(raw.candidatesTokensDetails, 'AUDIO'),
      image_tokens: ofKind(raw.candidatesTokensDetails, 'IMAGE'),
    },
  }
}

/**
 * Of the events of a stream, what is known with this one too. Every count is of all so far; one that a later event leaves out still
 * holds (its cached tokens, as a rule).
 */
export function addUsageMetadata(before: Fields, now: Fields): Fields {
  const known: Fields = { ...before, ...now }
  for (const name in before) {
    const [earlier, later] = [before[name], now[name]]
    if (typeof earlier === 'number' && typeof later === 'number' && earlier > later) known[name] = earlier
  }
  return known
}

/** Null when none of them is a count. */
function sum(one: unknown, other: unknown): number | null {
  if (isCount(one)) return isCount(other) ? one + other : one
  return isCount(other) ? other : null
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function ofKind(details: unknown, kind: string): unknown {
  if (!Array.isArray(details)) return null
  return details.find((one: Fields | null) => one?.modality === kind)?.tokenCount ?? null
}
