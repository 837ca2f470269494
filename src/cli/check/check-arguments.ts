/** What `sluice check` is asked for. */
import { type KnownOptions, readSubcommandOptions } from '../subcommand-options.ts';
import { CheckError } from './check-exit.ts';
import { PLACE_SETTINGS } from './http-place.ts';
import { ProbeKind } from './probe.ts';

export interface CheckArguments {
  /** null: everything is looked at. */
  readonly probe: ProbeKind | null;
  readonly configFile: string | null;
  /** `http.…`, by the setting's path. */
  readonly settings: ReadonlyMap<string, string>;
  /** Instead of what the configuration says. */
  readonly url: string | null;
  /** null: the command's own. */
  readonly timeoutMs: number | null;
  readonly json: boolean;
  /** Lists, as they were given. */
  readonly warn: string | null;
  readonly crit: string | null;
  readonly ignore: string | null;
  readonly user: string | null;
  readonly passwordFile: string | null;
  readonly ca: string | null;
  readonly insecure: boolean;
}

const OPTIONS: KnownOptions = {
  ready: { type: 'boolean' },
  alive: { type: 'boolean' },
  config: { type: 'string', short: 'c' },
  url: { type: 'string' },
  timeout: { type: 'string', short: 't' },
  json: { type: 'boolean' },
  warn: { type: 'string', short: 'w' },
  crit: { type: 'string' },
  ignore: { type: 'string' },
  user: { type: 'string' },
  'password-file': { type: 'string' },
  ca: { type: 'string' },
  insecure: { type: 'boolean' },
  ...Object.fromEntries(PLACE_SETTINGS.map((name) => [name, { type: 'string' } as const])),
};

const MOST_SECONDS = 300;

/** @throws CheckError */
export function parseCheckArguments(args: readonly string[]): CheckArguments {
  const { values, switches, operands, problems: found } = readSubcommandOptions(args, OPTIONS);
  const problems = [...found];
  if (operands.length > 0) problems.push('check takes flags only');
  if (switches.has('ready') && switches.has('alive')) problems.push('--ready or --alive, not both');
  if (problems.length > 0) throw new CheckError(problems.join('; '));
  const given = PLACE_SETTINGS.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    probe: switches.has('ready') ? ProbeKind.ready : switches.has('alive') ? ProbeKind.alive : null,
    configFile: values.config ?? null,
    settings: new Map(given),
    url: values.url ?? null,
    timeoutMs: timeoutOf(values.timeout ?? null),
    json: switches.has('json'),
    warn: values.warn ?? null,
    crit: values.crit ?? null,
    ignore: values.ignore ?? null,
    user: values.user ?? null,
    passwordFile: values['password-file'] ?? null,
    ca: values.ca ?? null,
    insecure: switches.has('insecure'),
  };
}

function timeoutOf(text: string | null): number | null {
  if (text === null) return null;
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds <= 0 || seconds > MOST_SECONDS)
    throw new CheckError(`--timeout takes seconds, up to ${MOST_SECONDS}`);
  return seconds * 1000;
}
