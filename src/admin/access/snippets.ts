/** How a client is pointed at the gateway. `note`: what there is to know besides. */
export type Snippet = { id: string; label: string; text: string; note: string | null }

type Facts = {
  /** `https://llm.example.com`, without a slash at the end. */
  origin: string
  secret: string
  model: string
}

/**
 * Commands and programs that work as they are. What stands in them may come from outside (a model's name, the host that a browser
 * sent), so each is quoted in the way of its language.
 */
export function snippets({ origin, secret, model }: Facts): Snippet[] {
  const base = `${origin}/v1`
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Say hello.' }] })
  return [
    {
      id: 'curl',
      label: 'curl',
      text: [
        `curl ${shell(`${base}/chat/completions`)} \\`,
        `  -H ${shell(`Authorization: Bearer ${secret}`)} \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  -d ${shell(body)}`,
      ].join('\n'),
      note: null,
    },
    {
      id: 'python',
      label: 'Python',
      text: [
        'from openai import OpenAI',
        '',
        `client = OpenAI(base_url=${code(base)}, api_key=${code(secret)})`,
        'answer = client.chat.completions.create(',
        `    model=${code(model)},`,
        '    messages=[{"role": "user", "content": "Say hello."}],',
        ')',
        'print(answer.choices[0].message.content)',
      ].join('\n'),
      note: 'With the package openai: pip install openai.',
    },
    {
      id: 'node',
      label: 'Node.js',
      text: [
        `import OpenAI from ${code('openai')}`,
        '',
        `const client = new OpenAI({ baseURL: ${code(base)}, apiKey: ${code(secret)} })`,
        'const answer = await client.chat.completions.create({',
        `  model: ${code(model)},`,
        "  messages: [{ role: 'user', content: 'Say hello.' }],",
        '})',
        'console.log(answer.choices[0].message.content)',
      ].join('\n'),
      note: 'With the package openai: npm install openai.',
    },
    {
      id: 'langchain',
      label: 'LangChain',
      text: [
        'from langchain_openai import ChatOpenAI',
        '',
        `llm = ChatOpenAI(model=${code(model)}, base_url=${code(base)}, api_key=${code(secret)})`,
        'print(llm.invoke("Say hello.").content)',
      ].join('\n'),
      note: 'With the package langchain-openai: pip install langchain-openai.',
    },
    {
      id: 'claude-code',
      label: 'Claude Code',
      text: [
        `export ANTHROPIC_BASE_URL=${shell(origin)}`,
        `export ANTHROPIC_AUTH_TOKEN=${shell(secret)}`,
        `export ANTHROPIC_MODEL=${shell(model)}`,
        'claude',
      ].join('\n'),
      note: 'Any model will do: the gateway translates. Unset ANTHROPIC_API_KEY if it is set, or it is asked about.',
    },
    {
      id: 'cursor',
      label: 'Cursor',
      text: [
        `OpenAI API Key:            ${secret}`,
        `Override OpenAI Base URL:  ${base}`,
        `Model:                     ${model}`,
      ].join('\n'),
      note: 'In Cursor Settings, Models: switch both on, and add the model by its name. Cursor asks from its own servers, so the gateway must be reachable from the internet.',
    },
  ]
}

/** One word of a POSIX shell, whatever is in it. */
const shell = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** A text of JavaScript, and of Python, which take JSON's. */
const code = (text: string) => JSON.stringify(text)
