/**
 * The subcommands with a file of their own. `main.ts` reads this table before anything else is loaded, so nothing is
 * imported here but types: a health check that runs every few seconds must not load what a service needs.
 */
import type { SubcommandEntry } from './subcommand.ts';

export const SUBCOMMANDS: readonly SubcommandEntry[] = [
  {
    name: 'check',
    summary: 'ask a Sluice that runs whether it is well: for health checks, keepalived and Nagios',
    load: async () => (await import('./check-command.ts')).checkCommand,
  },
  {
    name: 'reload',
    summary:
      'have a Sluice that runs read its configuration again, or start its program again without dropping anybody',
    load: async () => (await import('./reload-command.ts')).reloadCommand,
  },
  {
    name: 'import',
    summary: 'make a configuration from one of ProxySQL',
    load: async () => (await import('./import-command.ts')).importCommand,
  },
];

const HELP = new Set(['-h', '--help']);
const FAILED = 1;

/**
 * Runs the subcommand that the first argument names.
 * @returns false if it names none: what is asked for is the service itself, or `sluice config`
 */
export async function runSubcommand(
  [name, ...args]: readonly string[],
  subcommands: readonly SubcommandEntry[] = SUBCOMMANDS,
): Promise<boolean> {
  const entry = subcommands.find((subcommand) => subcommand.name === name);
  if (entry === undefined) return false;
  const subcommand = await entry.load();
  if (asksForHelp(args)) {
    process.stdout.write(subcommand.usage);
    return true;
  }
  // Stays if it throws: whoever asks must not take a crash for "ok".
  process.exitCode = FAILED;
  process.exitCode = await subcommand.run(args);
  return true;
}

/** What stands behind `--` is no flag. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).some((arg) => HELP.has(arg));
}
