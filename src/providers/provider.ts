/** What the gateway must know of a provider. All of these speak OpenAI's HTTP dialect below `baseUrl`. */
export type Provider = {
  name: string
  /** Public address, without a trailing slash; operators may change it (`<PROVIDER>_BASE_URL`). */
  baseUrl: string
  /** Request headers that carry the key. */
  authHeaders(key: string): Record<string, string>
  /** Takes `stream_options.include_usage` in streamed chats. Those that refuse it, or report usage anyway, say false. */
  takesStreamOptions: boolean
  /** Passes on to others, and knows their models as `provider/model`. */
  isAggregator?: boolean
}

/** `Authorization: Bearer <key>`, as OpenAI and all who copy it want it. */
export const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
