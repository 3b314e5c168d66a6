import Anthropic from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { GoogleGenAI } from '@google/genai'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { type House, openHouse } from './bench.ts'
import { ownFetch } from './client.ts'
import { KINDS, type Kind } from './providers/kinds.ts'
import { weather } from './scenarios.ts'

/* What SDKs do beyond one request: they parse answers, and run tools and conversations by themselves. */

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const but = (...names: Kind['name'][]) => KINDS.filter(({ name }) => !names.includes(name))
const nameOf = ({ name, model }: Kind) => (name === 'openai' ? model : `${name}:${model}`)
const openai = () => new OpenAI({ baseURL: `${house.url}/v1`, apiKey: house.token, maxRetries: 0, fetch: ownFetch })
const anthropic = () => new Anthropic({ baseURL: house.url, apiKey: house.token, maxRetries: 0, fetch: ownFetch })

const Person = z.object({ name: z.string(), age: z.int(), hobbies: z.array(z.object({ title: z.string() })) })
const ADA = { name: 'Ada', age: 36, hobbies: [{ title: 'mathematics' }] }
const messages = [{ role: 'user' as const, content: 'Who was Ada?' }]
const says = (kind: Kind) => house.provider(kind).play([{ text: JSON.stringify(ADA) }])

/** Two calls at once, another one, and an answer. */
const calls = (kind: Kind) => {
  const [cologne, paris] = ['Köln', 'Paris'].map((city) => ({ name: weather.name, args: { city } }))
  house.provider(kind).play([{ calls: [cologne!, paris!] }, { calls: [cologne!] }, { text: 'Fine everywhere.' }])
}
const expectAllHeard = (kind: Kind) => {
  expect(house.provider(kind).refused()).toEqual([])
  const [, , last] = house.provider(kind).heard()
  expect(last!.turns.flatMap(({ results }) => results)).toEqual([
    'In Köln it is 15 °C.',
    'In Paris it is 15 °C.',
    'In Köln it is 15 °C.',
  ])
}

describe.each(but('openai', 'mistral', 'zai'))("OpenAI's SDK with a model of $title", (kind) => {
  it('parses an answer into what a Zod schema says', async () => {
    says(kind)
    const response_format = zodResponseFormat(Person, 'person')
    const answer = await openai().chat.completions.parse({ model: nameOf(kind), messages, response_format })
    expect(answer.choices[0]!.message.parsed).toEqual(ADA)
  })

  it.each([true, false])('runs tools by itself (streamed: %s)', async (stream) => {
    calls(kind)
    const { name, description, parameters, run } = weather
    const tool = {
      type: 'function' as const,
      function: {
        name,
        description,
        parameters,
        parse: (json: string) => JSON.parse(json) as Record<string, unknown>,
        function: (args: Record<string, unknown>) => run(args).text,
      },
    }
    const asked = { model: nameOf(kind), messages, tools: [tool] }
    const runner = stream
      ? openai().chat.completions.runTools({ ...asked, stream })
      : openai().chat.completions.runTools(asked)
    expect(await runner.finalContent()).toBe('Fine everywhere.')
    expectAllHeard(kind)
  })
})

describe.each(but('openai'))("OpenAI's SDK and its Responses API with a model of $title", (kind) => {
  it('parses an answer into what a Zod schema says', async () => {
    says(kind)
    const text = { format: zodTextFormat(Person, 'person') }
    const answer = await openai().responses.parse({ model: nameOf(kind), input: messages, text })
    expect(answer.output_parsed).toEqual(ADA)
  })
})

describe.each(but('anthropic'))("Anthropic's SDK with a model of $title", (kind) => {
  it('parses an answer into what a Zod schema says', async () => {
    says(kind)
    const output_config = { format: zodOutputFormat(Person) }
    const answer = await anthropic().messages.parse({ model: nameOf(kind), max_tokens: 500, messages, output_config })
    expect(answer.parsed_output).toEqual(ADA)
  })

  it('is told that no conversation is kept here', async () => {
    const thread = anthropic().beta.messages.thread({ model: nameOf(kind), max_tokens: 500 })
    await expect(thread.send({ role: 'user', content: 'Hi' })).rejects.toMatchObject({
      status: 400,
      errorCode: 'thread_unsupported_request',
      apiMessage: expect.stringContaining('send the whole conversation'),
    })
  })

  it.each([true, false])('runs tools by itself (streamed: %s)', async (stream) => {
    calls(kind)
    const { name, description, parameters, run } = weather
    const tool = betaTool({
      name,
      description,
      inputSchema: parameters as { type: 'object' },
      run: (args) => run(args as Record<string, unknown>).text,
    })
    const answer = await anthropic().beta.messages.toolRunner({
      model: nameOf(kind),
      max_tokens: 500,
      messages,
      tools: [tool],
      stream,
    })
    expect(answer).toMatchObject({ stop_reason: 'end_turn' })
    expect(answer.content.find(({ type }) => type === 'text')).toMatchObject({ text: 'Fine everywhere.' })
    expectAllHeard(kind)
  })
})

describe.each(but('gemini'))("Google's SDK with a model of $title", (kind) => {
  const genai = () => new GoogleGenAI({ apiKey: house.token, httpOptions: { baseUrl: house.url } })

  it('keeps a chat', async () => {
    house.provider(kind).play([{ text: 'Hello Ada.' }, { text: 'Ada, I think.' }])
    const chat = genai().chats.create({ model: nameOf(kind) })
    expect((await chat.sendMessage({ message: 'My name is Ada.' })).text).toBe('Hello Ada.')
    let text = ''
    for await (const chunk of await chat.sendMessageStream({ message: 'What is my name?' })) text += chunk.text ?? ''
    expect(text).toBe('Ada, I think.')
    expect(chat.getHistory(true).map(({ role }) => role)).toContain('model')
    const [, heard] = house.provider(kind).heard()
    expect(heard!.turns.map(({ text: said }) => said)).toEqual(['My name is Ada.', 'Hello Ada.', 'What is my name?'])
  })

  it('runs tools by itself', async () => {
    calls(kind)
    const { name, description, parameters, run } = weather
    const callable = {
      tool: async () => ({ functionDeclarations: [{ name, description, parametersJsonSchema: parameters }] }),
      callTool: async (wanted: { id?: string; name?: string; args?: Record<string, unknown> }[]) =>
        wanted.map(({ id, name: called, args = {} }) => ({
          functionResponse: { id, name: called!, response: { output: run(args).text } },
        })),
    }
    const answer = await genai().models.generateContent({
      model: nameOf(kind),
      contents: 'Who was Ada?',
      config: { tools: [callable] },
    })
    expect(answer.text).toBe('Fine everywhere.')
    expectAllHeard(kind)
  })
})
