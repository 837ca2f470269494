/** What the command line asks for. Settings are passed on as text; the configuration checks them. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { nearestName } from '../../config/nearest-name.ts';
import type { Setting } from '../../config/settings.ts';
import { SUBCOMMANDS } from './subcommands.ts';

export const CliAction = {
  run: 'run',
  checkConfig: 'checkConfig',
  printConfig: 'printConfig',
  diffConfig: 'diffConfig',
  help: 'help',
  version: 'version',
} as const;
export type CliAction = (typeof CliAction)[keyof typeof CliAction];

export interface CommandLine {
  readonly action: CliAction;
  readonly configFile: string | null;
  /** By the setting's path. */
  readonly flags: Readonly<Record<string, string>>;
  /** What the action is about: the files of `config diff`. */
  readonly operands: readonly string[];
  /** Sentences without a value, as that may be a password; empty when the line is good. */
  readonly problems: readonly string[];
}

const OWN_OPTIONS = {
  config: { type: 'string', short: 'c' },
  'check-config': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies ParseArgsOptionsConfig;

interface OptionToken {
  readonly kind: 'option';
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

class CommandLineReader {
  readonly #settings: ReadonlyMap<string, Setting>;
  readonly problems: string[] = [];
  readonly seen = new Set<string>();
  readonly flags: Record<string, string> = {};
  configFile: string | null = null;

  constructor(settings: readonly Setting[]) {
    this.#settings = new Map(settings.map((setting) => [setting.path, setting]));
  }

  get options(): ParseArgsOptionsConfig {
    const ofSettings = [...this.#settings.keys()].map((path) => [path, { type: 'string' }] as const);
    return { ...Object.fromEntries(ofSettings), ...OWN_OPTIONS };
  }

  isKnown(name: string): boolean {
    return Object.hasOwn(OWN_OPTIONS, name) || this.#settings.has(name);
  }

  readOption(token: OptionToken): void {
    const { name, rawName } = token;
    if (!this.isKnown(name)) {
      const nearest = nearestName(name, [...Object.keys(OWN_OPTIONS), ...this.#settings.keys()]);
      this.problems.push(`unknown flag ${rawName}${nearest === null ? '' : `, did you mean --${nearest}?`}`);
      return;
    }
    if (this.seen.has(name)) this.problems.push(`${rawName} is given twice`);
    this.seen.add(name);
    const value = this.#valueOf(token);
    if (value === null) return;
    if (name === 'config') this.configFile = value;
    else this.flags[name] = value;
  }

  #valueOf({ name, rawName, value, inlineValue }: OptionToken): string | null {
    if (Object.hasOwn(OWN_OPTIONS, name) && name !== 'config') {
      if (value !== undefined) this.problems.push(`${rawName} takes no value`);
      return null;
    }
    if (value === undefined || value === '') {
      this.problems.push(`${rawName} needs a value`);
      return null;
    }
    if (inlineValue !== true && value.startsWith('-') && !/^-[0-9]+$/.test(value)) {
      this.problems.push(`${rawName} needs a value; write ${rawName}=VALUE if it begins with a dash`);
      return null;
    }
    return value;
  }
}

/** `sluice config …`, and how many operands each may have. */
const CONFIG_ACTIONS = {
  print: { action: CliAction.printConfig, most: 0 },
  diff: { action: CliAction.diffConfig, most: 2 },
  check: { action: CliAction.checkConfig, most: 0 },
} as const;

const COMMAND_NAMES = ['config', ...SUBCOMMANDS.map(({ name }) => name)];

function isConfigAction(word: string): word is keyof typeof CONFIG_ACTIONS {
  return Object.hasOwn(CONFIG_ACTIONS, word);
}

function actionOf(seen: ReadonlySet<string>, command: CliAction | null): CliAction {
  if (seen.has('help')) return CliAction.help;
  if (seen.has('version')) return CliAction.version;
  if (command !== null) return command;
  return seen.has('check-config') ? CliAction.checkConfig : CliAction.run;
}

interface Positional {
  readonly index: number;
  readonly value: string;
}

/** `config`, what to do with it, and with which files. */
function readConfigCommand(
  words: readonly Positional[],
  problems: string[],
): { action: CliAction; operands: string[] } {
  const [, what, ...operands] = words.map(({ value }) => value);
  if (what === undefined || !isConfigAction(what)) {
    const nearest = what === undefined ? null : nearestName(what, Object.keys(CONFIG_ACTIONS));
    const hint = nearest === null ? '' : `, did you mean config ${nearest}?`;
    problems.push(`config needs one of ${Object.keys(CONFIG_ACTIONS).join(', ')}${hint}`);
    return { action: CliAction.checkConfig, operands: [] };
  }
  const { action, most } = CONFIG_ACTIONS[what];
  if (operands.length > most)
    problems.push(`config ${what} takes ${most === 0 ? 'no operands' : `at most ${most} files`}`);
  return { action, operands };
}

export function parseCommandLine(args: readonly string[], settings: readonly Setting[]): CommandLine {
  const reader = new CommandLineReader(settings);
  const { tokens } = parseArgs({
    args: [...args],
    options: reader.options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  let afterUnknown = false;
  const words: Positional[] = [];
  for (const token of tokens) {
    if (token.kind === 'option') {
      reader.readOption(token);
      afterUnknown = !reader.isKnown(token.name) && token.value === undefined;
    } else {
      // What follows a mistyped flag is its value and no mistake of its own; it may be a password.
      if (token.kind === 'positional' && !afterUnknown) words.push(token);
      afterUnknown = false;
    }
  }
  const { configFile, flags, problems, seen } = reader;
  const isConfig = words[0]?.value === 'config';
  const command = isConfig ? readConfigCommand(words, problems) : { action: null, operands: [] };
  // Not repeated: it may be a password.
  const unexpected = isConfig ? [] : words.map(({ index }) => index + 1);
  for (const number of unexpected) {
    const nearest = number === 1 ? nearestName(words[0]!.value, COMMAND_NAMES) : null;
    const hint = nearest === null ? 'settings are given as --name value' : `did you mean ${nearest}?`;
    problems.push(`unexpected argument number ${number}, ${hint}`);
  }
  return { action: actionOf(seen, command.action), configFile, flags, operands: command.operands, problems };
}
