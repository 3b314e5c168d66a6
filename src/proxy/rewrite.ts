import { GatewayError } from '../errors.ts'
import { prependField, replaceValue, scanFields } from '../formats/json-fields.ts'

/**
 * Throws `invalid_json` when `model` stands twice in the body: JSON readers differ on which one counts, so an allow-list could be
 * asked about one model and the provider about another.
 */
export function refuseDoubledModel(json: Buffer): void {
  const first = json.indexOf('"model"')
  // One plain spelling and no escapes that could hide another: the usual case.
  if (first !== -1 && json.indexOf('"model"', first + 7) === -1 && json.indexOf('\\u00') === -1) return
  if (scanFields(json).filter(({ key }) => key === 'model').length > 1) {
    throw new GatewayError('invalid_json', { message: 'The request body has `model` more than once.', param: 'model' })
  }
}

/** The body with another model name; every other byte stays. */
export function withModel(json: Buffer, model: string): Buffer {
  const field = scanFields(json).findLast(({ key }) => key === 'model')
  return field ? replaceValue(json, field, JSON.stringify(model)) : json
}

/** The body with `stream_options.include_usage` set; every other byte stays. */
export function withUsageAsked(json: Buffer, body: Record<string, unknown>): Buffer {
  const options = body.stream_options
  if (options === undefined) return prependField(json, 'stream_options', '{"include_usage":true}')
  const value = JSON.stringify({ ...(typeof options === 'object' && options), include_usage: true })
  const field = scanFields(json).findLast(({ key }) => key === 'stream_options')
  return field ? replaceValue(json, field, value) : json
}

export const asksForUsage = (body: Record<string, unknown>) =>
  (body.stream_options as { include_usage?: unknown } | null | undefined)?.include_usage === true

/** Usage can be asked for on the caller's behalf: he has not done so, and what he sent as `stream_options` is sound. */
export function mayAskForUsage(body: Record<string, unknown>): boolean {
  const options = body.stream_options
  const isSound = options === undefined || options === null || (typeof options === 'object' && !Array.isArray(options))
  return isSound && !asksForUsage(body)
}
