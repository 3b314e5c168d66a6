/* Writes docs/configuration.md and .env.example from the table of options, and the table of docs/translation.md. `npm run docs:generate` */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  environmentNamesOf,
  GROUPS,
  OPTION_NAMES,
  type Option,
  type OptionName,
  optionOf,
  yamlPathsOf,
} from '../src/config/schema.ts'
import { translationTable } from './translation-table.ts'

/** What is generated, by its path in the repository. */
export const GENERATED = {
  'docs/configuration.md': renderPage,
  '.env.example': renderEnvExample,
  'docs/translation.md': renderTranslation,
}

/** The YAML of the docs page; a test loads it. */
export const YAML_EXAMPLE = `\
host: 0.0.0.0
port: 8080
data_dir: /var/lib/llm-proxy

providers:
  openai:
    api_key: \${OPENAI_API_KEY}
  anthropic:
    api_key: \${ANTHROPIC_API_KEY}
  mistral:
    base_url: \${MISTRAL_URL:-https://api.mistral.ai/v1}
  my-llm:
    kind: openai
    base_url: https://llm.example.com/v1

rate_limit: 600
rate_limit_window: 60

timeouts:
  connect_ms: 5000
  first_token_ms: 30000

prices:
  discounts: { openai: 10, azure-openai: 15.5 }
  models:
    - { provider: openai, model: "my-finetune-*", input: 3, output: 12, cached_input: 1.5 }

trust_proxy: [loopback, 10.0.0.0/8]
cors_origins:
  - https://app.example.com
`

const TRANSLATION = join(import.meta.dirname, '../docs/translation.md')

/** The page as it stands, with the table as it should be. */
function renderTranslation(): string {
  return readFileSync(TRANSLATION, 'utf8').replace(
    /(<!-- table: [^>]*-->\n).*?(\n<!-- end of the table -->)/s,
    (_all, begin: string, end: string) => `${begin}${translationTable()}${end}`,
  )
}

function renderPage(): string {
  const sections = groups().map(([title, names]) => `## ${title}\n\n${renderTable(names)}`)
  return `${[INTRO, ...sections, NOTES].join('\n\n')}\n`
}

const INTRO = `\
<!-- Generated from src/config/schema.ts: change that, then "npm run docs:generate". -->
# Configuration

LLM Proxy starts without any configuration. Everything below can be said in three places; the first one that says it wins:

1. environment variables,
2. a file \`.env\` in the working folder (see [.env.example](../.env.example)),
3. a YAML file: \`llm-proxy.yaml\` in the working folder, or the file that \`LLM_PROXY_CONFIG\` names.

The configuration is read at start. If anything in it is wrong, all problems are listed together, each with the name to
change, and the program exits with 1. \`llm-proxy config check\` does the same without starting. An empty value counts as unset.

A change of the YAML file, SIGHUP and \`POST /manage/reload\` have it read again: options marked ↻, routes and rules are taken over at
once, the others at the next start (see [routing.md](routing.md#changing-it-while-it-runs)).`

const NOTES = `\
## Secrets from files

Options marked 🔒 can be read from a file, as Docker and Kubernetes mount them: \`OPENAI_API_KEY_FILE=/run/secrets/openai\`.
One line end at the end of the file is dropped. Setting both \`X\` and \`X_FILE\` is a problem.

\`MANAGEMENT_TOKEN\` and \`ENCRYPTION_KEY\` are generated on first start into \`DATA_DIR\`, as \`management-token\` and
\`encryption-key\` (mode 0600). Back up the encryption key together with the database: without it the provider keys stored there
cannot be read. Generated files are never replaced; a damaged one stops the start.

## YAML

\`\`\`yaml
${YAML_EXAMPLE}\`\`\`

- \`\${NAME}\` in a text is replaced by the environment variable (or \`.env\` entry) of that name, \`\${NAME:-default}\` falls back
  to a default, and \`$\${\` is a literal \`\${\`. A variable that is missing and has no default is a problem.
- Unknown keys, duplicate keys and syntax errors are problems; the file may have up to 1 MB.
- Under \`providers\` there may be others than the built-in ones: what has a \`kind\`. How stands in
  [providers.md](providers.md#your-own).
- \`routes\`, \`rules\` and \`app_config.failover_routes\` stand in [routing.md](routing.md).
- \`max_queued\` and \`queue_timeout_ms\` of a provider stand in the file alone: [operations.md](operations.md#overload).
- Lists can be YAML lists or comma-separated text; prices are YAML, or JSON in the environment. Relative paths start at the working folder.

## Good to know

- Flags are \`true\` or \`false\` (also \`1\`/\`0\`, \`yes\`/\`no\`, \`on\`/\`off\`). 1 MB is 1,048,576 bytes.
- \`TRUST_PROXY=1\` means one hop. \`true\` believes every \`X-Forwarded-For\`, which lets clients choose their address: use it
  only where nobody can reach the gateway past the proxy.
- Variables that look like a misspelling of an option are named in a warning at start; foreign variables are left alone.`

function renderTable(names: OptionName[]): string {
  const rows = names.map((name) => {
    const option = optionOf(name)
    const spellings = environmentNamesOf(name).map((spelling) => `\`${spelling}\``)
    const yaml = yamlPathsOf(name)
      .map((path) => `\`${path}\``)
      .join(', ')
    return `| ${spellings.join(', ')}${option.secret ? ' 🔒' : ''}${option.live ? ' ↻' : ''} | ${yaml} | ${defaultOf(option)} | ${describe(option)} |`
  })
  return ['| variable | YAML | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function defaultOf(option: Option): string {
  if (option.defaultText !== undefined) return option.defaultText
  const { default: value, unit } = option
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'none'
  return `\`${Array.isArray(value) ? value.join(', ') : value}\`${unit === undefined ? '' : ` ${unit}`}`
}

function describe({ description, notYet, default: value, unit }: Option): string {
  const withUnit = unit !== undefined && value === null ? `${description} In ${unit}.` : description
  return notYet === undefined ? withUnit : `${withUnit} ${notYet[0]?.toUpperCase()}${notYet.slice(1)}.`
}

function renderEnvExample(): string {
  const sections = groups()
    .filter(([title]) => title !== GROUPS.later)
    .map(([title, names]) => `# --- ${title} ---\n\n${names.map(renderEnvEntry).join('\n\n')}`)
  return `${[ENV_INTRO, ...sections].join('\n\n')}\n`
}

const ENV_INTRO = `\
# Copy to .env and uncomment what you need; docs/configuration.md explains it all.
# Generated from src/config/schema.ts ("npm run docs:generate").`

function renderEnvEntry(name: OptionName): string {
  const option = optionOf(name)
  const { default: value, unit } = option
  const plain = value === null || Array.isArray(value) ? '' : String(value)
  const hint = plain === '' ? ` Default: ${defaultOf(option)}.` : ''
  const inUnit = unit === undefined ? '' : ` In ${unit}.`
  return `# ${`${option.description}${inUnit}${hint}`.replaceAll('`', '')}\n#${name}=${plain}`
}

function groups(): [title: string, names: OptionName[]][] {
  return Object.entries(GROUPS).map(([group, title]) => [
    title,
    OPTION_NAMES.filter((name) => optionOf(name).group === group),
  ])
}

const root = join(import.meta.dirname, '..')
if (import.meta.main) {
  for (const [path, render] of Object.entries(GENERATED)) writeFileSync(join(root, path), render())
}
