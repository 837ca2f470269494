import type { Setting } from '../../config/settings.ts';
import type { SubcommandEntry } from './subcommand.ts';
import { SUBCOMMANDS } from './subcommands.ts';

const HEAD = `Usage: sluice [--config FILE] [--SETTING VALUE …]
       sluice config print|check|diff [--config FILE] …

A SQL proxy for MySQL and MariaDB: writes go to the primary, proven reads to the replicas.

  -c, --config FILE   read the settings from a YAML file (also: SLUICE_CONFIG)
      --check-config  check the configuration, print a summary and exit: 0 if it is valid, 2 if not
  -v, --version       print the version and exit
  -h, --help          print this and exit

  config check        the same as --check-config
  config print        print the configuration in force as YAML: every setting, where it comes from, no secrets
  config diff         print what differs from the defaults; config diff A: file A from what is configured;
                      config diff A B: file B from file A. "running" instead of a file: what is in force, asked
                      for on the admin port. Exits with 0 if nothing differs, else with 1
@SUBCOMMANDS@
Every setting can also be given as a flag, or as an environment variable (listen.port: SLUICE_LISTEN_PORT).
Flags go before variables, variables before the file. Lists are comma-separated, or JSON.

  sluice --servers 10.0.0.5:3306 --monitor.username monitor --users app:secret

Signals: SIGTERM and SIGINT stop gracefully, a second one at once; SIGHUP reads the configuration again,
SIGUSR1 opens log files again, SIGUSR2 starts the program again without dropping anybody.

Settings:
`;

const COLUMN = 34;
const SUBCOMMAND_COLUMN = 20;

function valueName(setting: Setting): string {
  if (setting.values !== null) return setting.values.join('|');
  if (setting.kind === 'integer') return 'N';
  if (setting.kind === 'boolean') return 'true|false';
  return setting.kind === 'list' ? 'LIST' : 'TEXT';
}

function settingLine(setting: Setting): string {
  const fallback = setting.defaultText ?? String(setting.defaultValue);
  const unit = setting.unit === null || setting.defaultText !== null ? '' : ` ${setting.unit}`;
  const flag = `  --${setting.path} ${valueName(setting)}`;
  const separator = flag.length < COLUMN ? ' '.repeat(COLUMN - flag.length) : `\n${' '.repeat(COLUMN)}`;
  return `${flag}${separator}${setting.description} (${fallback}${unit})`.replaceAll('`', '');
}

function subcommandLine({ name, summary }: SubcommandEntry): string {
  return `  ${name.padEnd(SUBCOMMAND_COLUMN)}${summary}; see sluice ${name} --help\n`;
}

export function helpText(settings: readonly Setting[], subcommands = SUBCOMMANDS): string {
  const head = HEAD.replace('@SUBCOMMANDS@', subcommands.map(subcommandLine).join(''));
  return `${head}${settings.map(settingLine).join('\n')}\n`;
}
