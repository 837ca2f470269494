/** Carries out what the command line asks for, and says what is wrong with it. */
import { ConfigError, type ConfigProblem, formatProblem } from '../../config/config-error.ts';
import { existingHostgroups } from '../../config/hostgroup-pairs.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { printConfig } from '../../config/print.ts';
import type { Config } from '../../config/schema.ts';
import { collectSettings, configJsonSchema } from '../../config/settings.ts';
import { configWarnings, summariseConfig } from '../../config/summary.ts';
import type { HandoverTaker } from '../control/handover/handover-taker.ts';
import { CliAction, type CommandLine, parseCommandLine } from './command-line.ts';
import { configReader } from './config-reader.ts';
import { diffCommand } from './diff-command.ts';
import { ExitCode } from './exit-code.ts';
import { helpText } from './help-text.ts';
import { serve } from './serve.ts';
import { dataDirProblem } from './start-refusal.ts';

function complain(lines: readonly string[]): void {
  process.stderr.write(`${lines.map((line) => `sluice: ${line}`).join('\n')}\n`);
  process.exitCode = ExitCode.badConfiguration;
}

/** Of the machine as a whole nobody has to be told where it was written. */
function tooLargeText(problem: ConfigProblem): string {
  return problem.key === '' ? problem.message : formatProblem(problem);
}

function readOrComplain(read: () => LoadedConfig, file: string | null): LoadedConfig | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const hint = file === null ? ['no configuration file is named: use --config FILE, or see --help'] : [];
    complain([...error.message.split('\n'), ...hint]);
    return null;
  }
}

/** What is wrong with query rules, such as their regular expressions; empty if nothing is. */
async function unusableRules({ queryRules, fastRouting, firewall, ...config }: Config): Promise<string[]> {
  const { checkQueryRules, problemText } = await import('../sql/rules/query-rule-checks.ts');
  const { checkCachePatterns } = await import('../sql/rules/cache-rule-checks.ts');
  const hostgroups = existingHostgroups(config);
  const { errors } = checkQueryRules({ rules: queryRules, fastRouting, firewall }, hostgroups);
  return [...errors, ...checkCachePatterns(config.cache.rules)].map(problemText);
}

/** What is wrong with the files that the configuration names; null if nothing is. */
async function unusableFiles(config: Config): Promise<string | null> {
  const { TlsMaterial, TlsMaterialError } = await import('../control/tls-material.ts');
  const { checkLogFile, LogFileError } = await import('../control/logs/line-file.ts');
  try {
    TlsMaterial.read(config);
    checkLogFile('slowQueryLog.file', config.slowQueryLog.file);
    checkLogFile('auditLog.file', config.auditLog.file);
    return null;
  } catch (error) {
    if (!(error instanceof TlsMaterialError || error instanceof LogFileError)) throw error;
    return error.message;
  }
}

async function compare(commandLine: CommandLine): Promise<void> {
  const { operands, configFile } = commandLine;
  const load = (file: string | null) =>
    configReader({ ...commandLine, configFile: file ?? configFile }).read();
  const { lines, problems } = await diffCommand(operands, load);
  if (problems.length > 0) {
    complain(problems);
    return;
  }
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  process.exitCode = lines.length === 0 ? ExitCode.ok : ExitCode.failed;
}

async function check(loaded: LoadedConfig, file: string | null): Promise<void> {
  const { config } = loaded;
  const unusable = await unusableFiles(config);
  if (unusable !== null) {
    complain([unusable]);
    return;
  }
  // Another machine may have the room.
  const tooLarge = loaded.tooLarge.map(tooLargeText);
  const warnings = [...tooLarge, ...loaded.warnings, ...configWarnings(config)].map(
    (warning) => `warning: ${warning}\n`,
  );
  process.stdout.write(`${file ?? 'configuration'}: valid\n${summariseConfig(config)}\n${warnings.join('')}`);
}

/** @param taker of the process that this one takes over from */
export async function runCommandLine(
  args: readonly string[],
  version: string,
  taker: HandoverTaker | null,
): Promise<void> {
  const settings = collectSettings(configJsonSchema());
  const commandLine = parseCommandLine(args, settings);
  const { action, problems } = commandLine;
  if (problems.length > 0) {
    complain([...problems, 'see --help']);
    return;
  }
  if (action === CliAction.help) {
    process.stdout.write(helpText(settings));
    return;
  }
  if (action === CliAction.version) {
    process.stdout.write(`sluice ${version}\n`);
    return;
  }
  if (action === CliAction.diffConfig) {
    await compare(commandLine);
    return;
  }
  const { read, file } = configReader(commandLine);
  const loaded = readOrComplain(read, file);
  if (loaded === null) return;
  const { config } = loaded;
  const rules = config.queryRules.length === 0 ? [] : await unusableRules(config);
  if (rules.length > 0) {
    complain(rules);
    return;
  }
  if (action === CliAction.printConfig) {
    process.stdout.write(printConfig(loaded));
    return;
  }
  if (action === CliAction.checkConfig) {
    await check(loaded, file);
    return;
  }
  const dataDir = dataDirProblem(config.dataDir);
  const refused = [...loaded.tooLarge.map(tooLargeText), ...(dataDir === null ? [] : [dataDir])];
  if (refused.length > 0) {
    complain(refused);
    return;
  }
  await serve({ config, warnings: loaded.warnings, checks: null }, commandLine, version, taker);
}
