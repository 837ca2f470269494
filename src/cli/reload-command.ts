/**
 * `sluice reload`: has the Sluice that runs read its configuration again, or, with `--binary`, start its program again.
 * It is asked for on the admin port that is configured here.
 */
import { ExitCode } from './exit-code.ts';
import type { Subcommand } from './subcommand.ts';
import { readSubcommandOptions } from './subcommand-options.ts';

const USAGE = `Usage: sluice reload [--binary] [--config FILE]

Has the Sluice that runs read its configuration file again, as SIGHUP does. It is asked for on its admin port, which is
found, with the account, by the configuration that is named here.

      --binary        start the program again instead, as SIGUSR2 does: the new process takes the listening sockets over,
                      nobody is refused, and the old one ends its clients when they are idle (handover.…). Exits when the
                      new process lets clients in: with 0; with 1 if it does not, and all is as before
  -c, --config FILE   the configuration file of that Sluice (also: SLUICE_CONFIG)
      --admin.host, --admin.port
                      as for that Sluice
`;

const OPTIONS = {
  binary: { type: 'boolean' },
  config: { type: 'string', short: 'c' },
  'admin.host': { type: 'string' },
  'admin.port': { type: 'string' },
} as const;

export const reloadCommand: Subcommand = {
  usage: USAGE,
  async run(args) {
    const { values: given, switches, operands, problems } = readSubcommandOptions(args, OPTIONS);
    const { config: named, ...flags } = given;
    const wrong = operands.length > 0 ? [...problems, 'it takes no operands'] : problems;
    if (wrong.length > 0) return complain([...wrong, 'see --help'], ExitCode.badConfiguration);
    const [{ loadConfigWithSources }, { ConfigError }, { CONFIG_FILE_VARIABLE }] = await Promise.all([
      import('../../config/load.ts'),
      import('../../config/config-error.ts'),
      import('../../config/overlay.ts'),
    ]);
    const { orderRunning, RunningConfigError } = await import('./running-config.ts');
    try {
      const file = named ?? (process.env[CONFIG_FILE_VARIABLE] || null);
      const { config } = loadConfigWithSources({
        env: process.env,
        flags,
        ...(file === null ? {} : { file }),
      });
      const isBinary = switches.has('binary');
      const answer = await orderRunning(config, isBinary ? 'PROXYSQL RESTART' : 'PROXYSQL RELOAD CONFIG');
      process.stdout.write(`${answer}\n`);
      return ExitCode.ok;
    } catch (error) {
      if (error instanceof ConfigError) return complain(error.message.split('\n'), ExitCode.badConfiguration);
      if (error instanceof RunningConfigError) return complain([error.message], ExitCode.failed);
      throw error;
    }
  },
};

function complain(lines: readonly string[], code: number): number {
  process.stderr.write(lines.map((line) => `sluice reload: ${line}\n`).join(''));
  return code;
}
