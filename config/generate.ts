/**
 * Writes what is made from the schema: `proxy.schema.json`, `proxy.example.yaml` and the settings table of `README.md`.
 * With `--check` nothing is written, and a stale file makes it fail.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import {
  collectElementSettings,
  collectSettings,
  configJsonSchema,
  isSection,
  type JsonSchemaNode,
  nodeAt,
  type Setting,
} from './settings.ts';

const LINE_WIDTH = 100;

/** Lists and what has no default: the example shows these instead. */
const SAMPLES: Readonly<Record<string, string>> = {
  'admin.users': '\n    - { username: admin, password: admin }',
  servers: [
    '',
    '  - "10.0.0.5:3306"',
    '  - host: 10.0.0.6',
    '    port: 3306',
    '    weight: 1',
    '    maxConnections: 50',
    '    maxReplicationLagMs: 0',
    '    hostgroup: null',
    '    status: ONLINE',
    '    comment: the one in the other room',
    '    tls: VERIFY_IDENTITY',
    '    tlsServerName: db2.example.org',
  ].join('\n'),
  users: [
    '',
    '  - username: app',
    '    password: change-me',
    '    defaultSchema: shop',
    '    maxConnections: 0',
    '  - username: report',
    '    # The hash as the server shows it, in quotes: a plain * is something else in YAML.',
    '    password: "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"',
  ].join('\n'),
  'monitor.username': ' monitor',
  'monitor.password': ' change-me-too',
  'failover.replication.username': ' replication',
  'failover.replication.password': ' change-me-as-well',
  'failover.etcd.username': ' sluice',
  'failover.etcd.password': ' change-me-everywhere',
};

/** Lists whose elements are mappings only. */
const ELEMENT_TABLES = [
  'admin.users',
  'replicationHostgroups',
  'hostgroupAttributes',
  'queryRules',
  'fastRouting',
  'firewall.users',
  'firewall.rules',
  'firewall.sqliFingerprints',
  'cache.rules',
];

const README_HEAD = `# Configuration

\`schema.ts\` is the one place where settings are defined. \`npm run generate\` makes from it this page,
\`proxy.schema.json\` (for editors and CI) and \`proxy.example.yaml\` (every key); \`proxy.minimal.yaml\` is the least that
works. \`sluice --check-config\` checks a configuration, names everything that is wrong with it at once, with the line,
and exits with 2.

- **Order**: flags (\`--listen.port 6033\`) go before environment variables (\`SLUICE_LISTEN_PORT=6033\`), these before the
  file (\`--config FILE\` or \`SLUICE_CONFIG\`), setting by setting; a list is replaced as a whole. No file is needed.
- **Lists** in flags and variables are separated by commas, or JSON: \`SLUICE_SERVERS=a:3306,b:3306\`,
  \`SLUICE_USERS=app:secret,report:other\`, \`SLUICE_USERS='[{"username":"app","password":"with,comma"}]'\`.
- An **empty variable** counts as not set. An unknown key, flag or \`SLUICE_\` variable is an error. Two kinds are left
  alone: what Kubernetes sets for a service called \`sluice\` (\`SLUICE_SERVICE_HOST\`, \`SLUICE_PORT=tcp://…\`), and
  \`SLUICE_TEST_…\`, which the tests of this project use.
- **Passwords** are text, \`{file: /path}\` (its one line, without the line break) or \`{env: NAME}\`. They are read whenever
  the configuration is; \`SLUICE_MONITOR_PASSWORD_FILE\` names a file for a variable.
- **Look at it**: \`sluice config print\` prints all that is in force with its source, \`sluice config diff\` what differs from
  the defaults, or between two files; \`sluice config diff running\` what a reload would change; \`sluice config check\` is \`--check-config\`. None shows a secret.
- **Reload**: SIGHUP reads file and flags again. Everything is checked before anything changes; a bad configuration
  changes nothing and is logged. Settings with *restart* keep their old value until then, and the log says so.
- Times are in milliseconds, sizes in bytes, as the names say.
`;

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function typeText(setting: Setting): string {
  if (setting.values !== null) return setting.values.map((value) => `\`${value}\``).join(', ');
  if (setting.kind !== 'integer') return setting.kind;
  return `integer, ${setting.minimum} to ${setting.maximum}`;
}

function defaultText({ defaultText, defaultValue, unit }: Setting): string {
  if (defaultText !== null) return defaultText;
  if (defaultValue === undefined) return 'required';
  return `\`${JSON.stringify(defaultValue)}\`${unit === null ? '' : ` ${unit}`}`;
}

function settingsTable(settings: readonly Setting[], withReload: boolean): string {
  const columns = ['Key', 'Meaning', 'Type', 'Default', ...(withReload ? ['Change'] : [])];
  const rows = settings.map((setting) => [
    `\`${setting.path}\``,
    setting.description,
    typeText(setting),
    defaultText(setting),
    ...(withReload ? [setting.reloadable ? 'reload' : 'restart'] : []),
  ]);
  return [columns, columns.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map(escapeCell).join(' | ')} |`)
    .join('\n');
}

function renderReadme(schema: JsonSchemaNode): string {
  const { servers = {}, users = {} } = schema.properties ?? {};
  return [
    '<!-- Generated by `npm run generate` from schema.ts and generate.ts. Do not edit. -->',
    README_HEAD,
    '## Settings\n',
    settingsTable(collectSettings(schema), true),
    '\n## An element of `servers`\n',
    'Either `"host:port"` (`"host"` alone means port 3306, IPv6 is written `"[::1]:3306"`), or a mapping:\n',
    settingsTable(collectElementSettings(servers), false),
    '\n## An element of `users`\n',
    settingsTable(collectElementSettings(users), false),
    ...ELEMENT_TABLES.flatMap((path) => [
      `\n## An element of \`${path}\`\n`,
      settingsTable(collectElementSettings(nodeAt(schema, path.split('.')) ?? {}), false),
    ]),
    '',
  ].join('\n');
}

function comment(text: string, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || `${last} ${word}`.length > LINE_WIDTH) lines.push(`${indent}# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

function exampleSetting(setting: Setting, indent: string): string {
  const key = setting.path.split('.').at(-1) ?? '';
  // A secret that is left out has no value at all.
  const isLeftOut = SAMPLES[setting.path] === undefined && setting.defaultValue === undefined;
  const value = SAMPLES[setting.path] ?? (isLeftOut ? '' : ` ${JSON.stringify(setting.defaultValue)}`);
  const values = setting.values === null ? '' : ` One of ${setting.values.join(', ')}.`;
  const fallback = setting.defaultText === 'required' ? 'required' : `default: ${defaultText(setting)}`;
  const restart = setting.reloadable ? '' : '; a change needs a restart';
  const text = `${setting.description}${values} (${fallback}${restart})`.replaceAll('`', '');
  return `${comment(text, indent)}\n${indent}${isLeftOut ? '# ' : ''}${key}:${value}`;
}

function renderExample(schema: JsonSchemaNode): string {
  const settings = new Map(collectSettings(schema).map((setting) => [setting.path, setting]));
  const part = (path: string, node: JsonSchemaNode, indent: string): string => {
    if (!isSection(node)) return exampleSetting(settings.get(path)!, indent);
    const children = Object.entries(node.properties ?? {}).map(([key, child]) =>
      part(`${path}.${key}`, child, `${indent}  `),
    );
    const key = path.split('.').at(-1) ?? '';
    const head = comment((node.description ?? '').replaceAll('`', ''), indent);
    return [head, `${indent}${key}:`, ...children].join('\n');
  };
  const parts = Object.entries(schema.properties ?? {}).map(([key, node]) => part(key, node, ''));
  return [
    '# yaml-language-server: $schema=./proxy.schema.json',
    '# Every setting of Sluice, with its default where it has one. Generated by `npm run generate`; do not edit this',
    '# file, copy it. Only servers, users and monitor are needed: see proxy.minimal.yaml.',
    '',
    parts.join('\n\n'),
    '',
  ].join('\n');
}

/** File name (beside this one) to content. */
export function renderAll(): ReadonlyMap<string, string> {
  const schema = configJsonSchema();
  return new Map([
    ['proxy.schema.json', `${JSON.stringify(schema, null, 2)}\n`],
    ['proxy.example.yaml', renderExample(schema)],
    ['README.md', renderReadme(schema)],
  ]);
}

function readIfThere(url: URL): string | null {
  try {
    return readFileSync(url, 'utf8');
  } catch {
    return null;
  }
}

function main(): void {
  for (const [name, wanted] of renderAll()) {
    const target = new URL(name, import.meta.url);
    if (!process.argv.includes('--check')) {
      writeFileSync(target, wanted);
    } else if (readIfThere(target) !== wanted) {
      process.stderr.write(`config/${name} is stale: run npm run generate\n`);
      process.exitCode = 1;
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
