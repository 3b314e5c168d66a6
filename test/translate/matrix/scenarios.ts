import type { Ask, Client, Lack, Mode, Picture, Shown, Tool } from './client.ts'
import type { Kind } from './providers/kinds.ts'
import type { Answer, Heard, HeardTurn } from './script.ts'

/** What a user asks, what the model does, and what each of the two is to hear of the other. One line for each answer. */
export type Scenario = {
  promise: string
  needs?: readonly Lack[]
  /** Providers that cannot. */
  without?: readonly Kind['name'][]
  /** Is about what must be changed on the way. */
  translated?: true
  /** Is about this way to ask for a schema. */
  schemas?: 'field' | 'tool'
  /** Is about models that think. */
  thinks?: true
  ask: Omit<Ask, 'model'>
  answers: Answer[]
  shows: Partial<Shown>[]
  hears: Partial<Heard>[]
  /** What the gateway says it had to leave out, in the client's own words. */
  drops?: Drops
}

type Drops = (client: Client, kind: Kind, model: string, at: { turn: number; mode: Mode }) => string[]

const CITY = {
  type: 'object',
  properties: { city: { type: 'string', description: 'Its name' } },
  required: ['city'],
  additionalProperties: false,
}
const SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
}
/** One red pixel. */
export const PICTURE: Picture = {
  mediaType: 'image/png',
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
}
const PDF: Picture = { mediaType: 'application/pdf', data: 'JVBERi0xLjQKJSVFT0YK' }
const SEEN = `image/png;base64,${PICTURE.data}`

export const weather: Tool = {
  name: 'get_weather',
  description: 'The weather in a city',
  parameters: CITY,
  run: ({ city }) => ({ text: `In ${String(city)} it is 15 °C.` }),
}
const clock: Tool = {
  name: 'get-time',
  description: 'What time it is',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  run: () => ({ text: '12:30' }),
}
const camera: Tool = {
  name: 'take_picture',
  description: 'A picture of what is in front of you',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  run: () => ({ text: 'Here it is.', image: PICTURE }),
}

/** As some hubs of tools make them. */
const odd: Tool = {
  name: 'mcp__a-server-for-managing-projects__list_issues_of_a_project_by_state_and_by_label',
  description: 'Lists',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  run: () => ({ text: 'None.' }),
}
/** The second of the tools that it was told of, by whatever name. */
const ODD = '#1'

const turn = (role: HeardTurn['role'], more: Partial<HeardTurn>): HeardTurn => ({
  role,
  text: '',
  images: [],
  calls: [],
  results: [],
  ...more,
})
const user = (text: string, more: Partial<HeardTurn> = {}) => turn('user', { text, ...more })
const gave = (...results: string[]) => turn('user', { results })
const COLOGNE = { name: 'get_weather', args: { city: 'Köln' } }
const PARIS = { name: 'get_weather', args: { city: 'Paris' } }
const TIME = { name: 'get-time', args: {} }
const done = (text: string): Partial<Shown> => ({ text, calls: [], finish: 'stop' })

/** Google's API has no word for it. */
function dropsParallel({ dialect }: Client, { name }: Kind): string[] {
  if (name !== 'gemini') return []
  return [dialect === 'anthropic-messages' ? 'tool_choice.disable_parallel_tool_use' : 'parallel_tool_calls']
}

/**
 * Claude's older models think on only where the client gives their sealed thoughts back: who does not know of them cannot, nor can
 * OpenAI's SDK when it has put a stream together.
 */
const dropsLostThoughts: Drops = (client, _kind, model, { turn, mode }) => {
  const keeps = !client.lacks.includes('thoughts') && !(client.name === 'the OpenAI SDK' && mode === 'streamed')
  return turn > 0 && !keeps && /haiku/.test(model) ? ['reasoning_effort'] : []
}

export const SCENARIOS: readonly Scenario[] = [
  {
    promise: 'answers with a text, in any script',
    ask: { system: 'Be kind.', messages: [{ role: 'user', text: 'Grüß mich 👋' }], maxTokens: 200 },
    answers: [{ text: 'Grüße aus Köln 🌍, said the model: "line\nbreak" and \\ too.' }],
    shows: [done('Grüße aus Köln 🌍, said the model: "line\nbreak" and \\ too.')],
    hears: [{ system: 'Be kind.', turns: [user('Grüß mich 👋')], maxTokens: 200, tools: [], thinks: false }],
  },
  {
    promise: 'is as warm as it is told to be',
    needs: ['temperature'],
    ask: { messages: [{ role: 'user', text: 'Hi' }], temperature: 0.5 },
    answers: [{ text: 'Hi.' }],
    shows: [done('Hi.')],
    hears: [{ temperature: 0.5 }],
  },
  {
    promise: 'goes on with a conversation',
    ask: {
      messages: [
        { role: 'user', text: 'My name is Ada.' },
        { role: 'assistant', text: 'Hello Ada.' },
        { role: 'user', text: 'What is my name?' },
      ],
    },
    answers: [{ text: 'Ada.' }],
    shows: [done('Ada.')],
    hears: [{ turns: [user('My name is Ada.'), turn('assistant', { text: 'Hello Ada.' }), user('What is my name?')] }],
  },
  {
    promise: 'calls tools in several turns, and goes on with their results',
    ask: { messages: [{ role: 'user', text: 'Weather in Köln, then Paris?' }], tools: [weather, clock] },
    answers: [{ text: 'Let me look.', calls: [COLOGNE] }, { calls: [PARIS] }, { text: 'Both are fine.' }],
    shows: [
      { text: 'Let me look.', calls: [COLOGNE], finish: 'tools' },
      { calls: [PARIS], finish: 'tools' },
      done('Both are fine.'),
    ],
    hears: [
      { turns: [user('Weather in Köln, then Paris?')], tools: ['get_weather', 'get-time'] },
      {
        turns: [
          user('Weather in Köln, then Paris?'),
          turn('assistant', { text: 'Let me look.', calls: [COLOGNE] }),
          gave('In Köln it is 15 °C.'),
        ],
      },
      {
        turns: [
          user('Weather in Köln, then Paris?'),
          turn('assistant', { text: 'Let me look.', calls: [COLOGNE] }),
          gave('In Köln it is 15 °C.'),
          turn('assistant', { calls: [PARIS] }),
          gave('In Paris it is 15 °C.'),
        ],
      },
    ],
  },
  {
    promise: 'calls several tools at once, one of them twice and one without arguments',
    ask: { messages: [{ role: 'user', text: 'Weather and time?' }], tools: [weather, clock] },
    answers: [{ calls: [COLOGNE, TIME, PARIS] }, { text: 'Here you are.' }],
    shows: [{ calls: [COLOGNE, TIME, PARIS], finish: 'tools' }, done('Here you are.')],
    hears: [
      {},
      {
        turns: [
          user('Weather and time?'),
          turn('assistant', { calls: [COLOGNE, TIME, PARIS] }),
          gave('In Köln it is 15 °C.', '12:30', 'In Paris it is 15 °C.'),
        ],
      },
    ],
  },
  {
    promise: 'calls the tool that it must call',
    ask: { messages: [{ role: 'user', text: 'Köln?' }], tools: [weather, clock], toolChoice: 'get_weather' },
    answers: [{ calls: [COLOGNE] }, { text: 'Fine.' }],
    shows: [{ calls: [COLOGNE], finish: 'tools' }, done('Fine.')],
    hears: [{ toolChoice: 'get_weather' }, {}],
  },
  {
    promise: 'calls some tool when it must, and only one at a time when told so',
    needs: ['parallel'],
    ask: {
      messages: [{ role: 'user', text: 'Köln?' }],
      tools: [weather, clock],
      toolChoice: 'required',
      parallel: false,
    },
    answers: [{ calls: [COLOGNE] }, { text: 'Fine.' }],
    shows: [{ calls: [COLOGNE], finish: 'tools' }, done('Fine.')],
    hears: [{ toolChoice: 'required' }, {}],
    drops: (client, kind, _model, { turn }) => (turn === 0 ? dropsParallel(client, kind) : []),
  },
  {
    promise: 'looks at a picture',
    ask: { messages: [{ role: 'user', text: 'What is this?', image: PICTURE }] },
    answers: [{ text: 'A red pixel.' }],
    shows: [done('A red pixel.')],
    hears: [{ turns: [user('What is this?', { images: [SEEN] })] }],
  },
  {
    promise: 'reads a PDF',
    // Mistral and Z.ai want to fetch theirs.
    without: ['mistral', 'zai'],
    ask: { messages: [{ role: 'user', text: 'What does it say?', pdf: PDF }] },
    answers: [{ text: 'Nothing.' }],
    shows: [done('Nothing.')],
    hears: [{ turns: [user('What does it say?', { images: [`application/pdf;base64,${PDF.data}`] })] }],
  },
  {
    promise: 'looks at a picture that a tool gave',
    needs: ['pictures in results'],
    ask: { messages: [{ role: 'user', text: 'What is in front of you?' }], tools: [camera] },
    answers: [{ calls: [{ name: 'take_picture', args: {} }] }, { text: 'A red pixel.' }],
    shows: [{ finish: 'tools' }, done('A red pixel.')],
    hears: [
      {},
      {
        turns: [
          user('What is in front of you?'),
          turn('assistant', { calls: [{ name: 'take_picture', args: {} }] }),
          turn('user', { results: ['Here it is.'], images: [SEEN] }),
        ],
      },
    ],
  },
  {
    promise: 'answers with JSON that keeps to a schema, by way of a tool',
    schemas: 'tool',
    ask: { messages: [{ role: 'user', text: 'Who was Ada?' }], schema: SCHEMA },
    answers: [{ calls: [{ name: 'json', args: { name: 'Ada', age: 36 } }] }],
    shows: [done('{"name":"Ada","age":36}')],
    hears: [{ tools: ['json'], toolChoice: 'required' }],
    drops: dropsParallel,
  },
  {
    promise: 'answers with JSON that keeps to a schema',
    schemas: 'field',
    ask: { messages: [{ role: 'user', text: 'Who was Ada?' }], schema: SCHEMA },
    answers: [{ text: '{"name":"Ada","age":36}' }],
    shows: [done('{"name":"Ada","age":36}')],
    hears: [{ schema: ['name', 'age'] }],
  },
  {
    promise: 'thinks, and shows what it thought where its provider does',
    needs: ['thoughts'],
    thinks: true,
    ask: { messages: [{ role: 'user', text: 'How many rs are in strawberry?' }], thinks: true },
    answers: [{ thought: 'Spelling it: st-r-awbe-r-r-y.', text: 'Three.' }],
    shows: [{ ...done('Three.'), thought: 'Spelling it: st-r-awbe-r-r-y.' }],
    hears: [{ thinks: true }],
  },
  {
    promise: 'thinks between its calls of tools',
    thinks: true,
    ask: { messages: [{ role: 'user', text: 'Köln and Paris?' }], tools: [weather], thinks: true },
    answers: [
      { thought: 'Köln first.', calls: [COLOGNE] },
      { thought: 'Now Paris.', calls: [PARIS] },
      { thought: 'That is all.', text: 'Both are fine.' },
    ],
    shows: [{ calls: [COLOGNE], finish: 'tools' }, { calls: [PARIS], finish: 'tools' }, done('Both are fine.')],
    hears: [{ thinks: true }, {}, {}],
    drops: dropsLostThoughts,
  },
  {
    promise: 'calls tools with long and odd names',
    translated: true,
    ask: { messages: [{ role: 'user', text: 'Go.' }], tools: [weather, odd] },
    answers: [{ calls: [{ name: ODD, args: {} }] }, { text: 'Gone.' }],
    shows: [{ calls: [{ name: odd.name, args: {} }], finish: 'tools' }, done('Gone.')],
    hears: [{}, {}],
  },
  {
    promise: 'answers whoever waits for a stream also where its provider does not stream',
    translated: true,
    ask: { messages: [{ role: 'user', text: 'Weather and time?' }], tools: [weather, clock] },
    answers: [
      { text: 'I look.', calls: [COLOGNE, TIME], unstreamed: true },
      { text: 'Fine.', unstreamed: true },
    ],
    shows: [{ text: 'I look.', calls: [COLOGNE, TIME], finish: 'tools' }, done('Fine.')],
    hears: [{}, {}],
  },
  {
    promise: 'says nothing at all',
    ask: { messages: [{ role: 'user', text: 'Silence, please.' }] },
    answers: [{}],
    shows: [done('')],
    hears: [{}],
  },
  {
    promise: 'stops at a sequence',
    needs: ['stop'],
    ask: { messages: [{ role: 'user', text: 'Count.' }], stop: ['four'] },
    answers: [{ text: 'one two three ', stop: 'sequence' }],
    shows: [done('one two three ')],
    hears: [{ stop: ['four'] }],
  },
  {
    promise: 'is cut short at the number of tokens that it may write',
    ask: { messages: [{ role: 'user', text: 'Tell me a story.' }], maxTokens: 50 },
    answers: [{ text: 'Once upon a', stop: 'length' }],
    shows: [{ text: 'Once upon a', finish: 'length' }],
    hears: [{ maxTokens: 50 }],
  },
]
