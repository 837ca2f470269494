/** Reads the flags of a subcommand. What is said about a mistake never repeats a value: it may be a password. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { nearestName } from '../../config/nearest-name.ts';

export interface SubcommandOptions {
  /** By the flag's name; those that may be given more than once are not for this. */
  readonly values: Readonly<Record<string, string>>;
  readonly switches: ReadonlySet<string>;
  readonly operands: readonly string[];
  /** Sentences; empty when all is well. */
  readonly problems: readonly string[];
}

/** Text beside switches: `{ output: { type: 'string', short: 'o' }, quiet: { type: 'boolean' } }`. */
export type KnownOptions = Readonly<
  Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>
>;

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** @returns what is wrong with it, or null */
function optionProblem(
  { name, rawName, value, inlineValue }: OptionToken,
  known: KnownOptions,
): string | null {
  const option = Object.hasOwn(known, name) ? known[name] : undefined;
  if (option === undefined) {
    const nearest = nearestName(name, Object.keys(known));
    return `unknown flag ${rawName}${nearest === null ? '' : `, did you mean --${nearest}?`}`;
  }
  if (option.type === 'boolean') return value === undefined ? null : `${rawName} takes no value`;
  if (value === undefined || value === '') return `${rawName} needs a value`;
  if (inlineValue !== true && value.startsWith('-') && value !== '-')
    return `${rawName} needs a value; write --${name}=VALUE if it begins with a dash`;
  return null;
}

/** @param known the subcommand's own; `--help` is not asked for here any more */
export function readSubcommandOptions(args: readonly string[], known: KnownOptions): SubcommandOptions {
  const options: ParseArgsOptionsConfig = { ...known };
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string>();
  const switches = new Set<string>();
  const operands: string[] = [];
  const problems: string[] = [];
  let afterUnknown = false;
  for (const token of tokens) {
    // What follows a mistyped flag is its value and no operand.
    if (token.kind === 'positional' && !afterUnknown) operands.push(token.value);
    afterUnknown = token.kind === 'option' && !Object.hasOwn(known, token.name) && token.value === undefined;
    if (token.kind !== 'option') continue;
    const problem = optionProblem(token, known);
    if (problem !== null) problems.push(problem);
    else if (values.has(token.name) || switches.has(token.name))
      problems.push(`${token.rawName} is given twice`);
    else if (token.value === undefined) switches.add(token.name);
    else values.set(token.name, token.value);
  }
  return { values: Object.fromEntries(values), switches, operands, problems };
}
