// docs/reference/settings.md: what a process is told when it starts, as flag, variable and key of the settings file.
import { z } from 'zod'
import { controlSettings } from '../../server/src/bin/control-settings.ts'
import { gatewayRoleSettings, listSettings } from '../../server/src/bin/settings.ts'
import { startSettings } from '../../server/src/bin/start.ts'
import { describeKeys, toMarkdownTable, type Schema } from './describe-schema.ts'

export function generateSettingsReference(): Map<string, string> {
  const all = z.strictObject({ ...gatewayRoleSettings.shape, ...startSettings.shape })
  const schema = z.toJSONSchema(all, { io: 'input', reused: 'inline' }) as Schema
  const described = new Map(describeKeys(schema).map((row) => [row.key, row]))
  const rows = listSettings(all).map(({ key, flag, variable, description }) => {
    const { type = '', fallback = '' } = described.get(key) ?? {}
    // The number of cores is known where it runs and not where this page is written.
    const usual = key === 'workers' ? 'one per core' : fallback
    return [`\`${flag}\``, `\`${variable}\``, `\`${key}\``, type, usual, rolesOf(key), description]
  })
  const text = `# Settings

What a process is told when it starts. A flag comes before a variable of the environment, a variable before a key of the settings
file (\`--settings FILE\` or \`HEADGATE_SETTINGS\`), that before the default. A wrong setting stops the start with a sentence that says what to write.
\`headgate start\` takes all but those of a lone gateway. What the gateway does with traffic stands in [the configuration](configuration.md).

${toMarkdownTable(['flag', 'variable', 'key', 'type', 'default', 'for', 'what it is'], rows)}
`
  return new Map([['docs/reference/settings.md', text]])
}

/** The commands that take a setting. */
function rolesOf(key: string): string {
  const roles = { gateway: gatewayRoleSettings, control: controlSettings, start: startSettings }
  return Object.entries(roles)
    .filter(([, { shape }]) => Object.hasOwn(shape, key))
    .map(([role]) => `\`${role}\``)
    .join(', ')
}
