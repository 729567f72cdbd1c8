// docs/reference/settings.md: what a process is told when it starts, as flag, variable and key of the settings file.
import { z } from 'zod'
import { gatewaySettings, listSettings } from '../../server/src/bin/settings.ts'
import { describeKeys, toMarkdownTable, type Schema } from './describe-schema.ts'

export function generateSettingsReference(): Map<string, string> {
  const schema = z.toJSONSchema(gatewaySettings, { io: 'input', reused: 'inline' }) as Schema
  const described = new Map(describeKeys(schema).map((row) => [row.key, row]))
  const rows = listSettings().map(({ key, flag, variable, description }) => {
    const { type = '', fallback = '' } = described.get(key) ?? {}
    // The number of cores is known where it runs and not where this page is written.
    const usual = key === 'workers' ? 'one per core' : fallback
    return [`\`${flag}\``, `\`${variable}\``, `\`${key}\``, type, usual, description]
  })
  const text = `# Settings

What a gateway process is told when it starts. A flag comes before a variable of the environment, a variable before a key of the settings
file (\`--settings FILE\` or \`HEADGATE_SETTINGS\`), that before the default. A wrong setting stops the start with a sentence that says what to write.
What the gateway does with traffic stands in [the configuration](configuration.md).

${toMarkdownTable(['flag', 'variable', 'key', 'type', 'default', 'what it is'], rows)}
`
  return new Map([['docs/reference/settings.md', text]])
}
