/** `openai:gpt-4o` and `openai/gpt-4o` as the provider itself knows them: `gpt-4o`. */
export const bareModel = <Name extends string | null>(provider: string, model: Name): Name =>
  (model?.startsWith(`${provider}:`) || model?.startsWith(`${provider}/`)
    ? model.slice(provider.length + 1)
    : model) as Name
