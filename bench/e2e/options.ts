/** The bench's command line. */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkoutDirectory } from '../../test/support/sluice-script.ts';
import { StatementProtocol } from './sysbench.ts';
import { type BaseSluice, TargetName } from './targets/target.ts';

export const ScenarioName = {
  pointSelect: 'point-select',
  readOnly: 'read-only',
  readWrite: 'read-write',
  churn: 'churn',
  idle: 'idle',
  bigResult: 'big-result',
  flood: 'flood',
  prepares: 'prepares',
  tls: 'tls',
} as const;
export type ScenarioName = (typeof ScenarioName)[keyof typeof ScenarioName];

export interface BenchOptions {
  readonly scenarios: readonly ScenarioName[];
  readonly protocols: readonly StatementProtocol[];
  readonly clients: readonly number[];
  readonly seconds: number;
  readonly repeat: number;
  /** Rounds of the scenarios that restart the proxies and take long: idle, big-result, flood, prepares. */
  readonly repeatLong: number;
  readonly targets: readonly TargetName[];
  readonly threads: number;
  readonly replicas: number;
  readonly idleClients: number;
  readonly floodStatements: number;
  readonly preparedStatements: number;
  readonly bigResultMegabytes: number;
  readonly sluiceArgs: readonly string[];
  readonly base: BaseSluice | null;
  readonly proxysqlBinary: string | null;
  /** Name of the JSON file to keep in `bench/baselines/`, or null. */
  readonly saveBaseline: string | null;
  readonly help: boolean;
}

export const USAGE = `npm run bench -- [options]

  --quick                 only what the targets of the project need, a few seconds each
  --only LIST             of ${Object.values(ScenarioName).join(', ')}
  --targets LIST          of ${Object.values(TargetName).join(', ')} (proxysql: PROXYSQL_BIN must name its binary)
                          base: another Sluice to compare with, see --base-args
  --protocols LIST        of ${Object.values(StatementProtocol).join(', ')}
  --clients LIST          sysbench threads (1,16,64,256)
  --seconds N             of each sysbench and churn measurement (5)
  --repeat N              rounds; in each, every target is measured in turn (3)
  --threads N             HAProxy's nbthread, Sluice's workers, ProxySQL's threads (1)
  --replicas N            behind Sluice and ProxySQL (2)
  --idle-clients N        (5000)
  --flood-statements N    statements with different digests (100000)
  --prepared-statements N different statements that are prepared, executed and closed (1000000)
  --big-result-mb N       size of the huge result (1000)
  --sluice-args="ARGS"    more arguments for Sluice, separated by spaces
  --base-args="ARGS"      those of the target base: the checkout that BENCH_BASE names, else this one
  --save-baseline NAME    keep the JSON as bench/baselines/NAME.json
  --help
`;

/** @throws Error with a sentence for the user */
export function parseBenchOptions(argv: readonly string[], env: NodeJS.ProcessEnv): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      targets: { type: 'string' },
      protocols: { type: 'string' },
      clients: { type: 'string' },
      seconds: { type: 'string' },
      repeat: { type: 'string' },
      threads: { type: 'string', default: '1' },
      replicas: { type: 'string', default: '2' },
      'idle-clients': { type: 'string', default: '5000' },
      'flood-statements': { type: 'string', default: '100000' },
      'prepared-statements': { type: 'string', default: '1000000' },
      'big-result-mb': { type: 'string', default: '1000' },
      'sluice-args': { type: 'string', default: '' },
      'base-args': { type: 'string' },
      'save-baseline': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const defaults = values.quick ? QUICK : FULL;
  const repeat = positiveInteger('repeat', values.repeat ?? String(defaults.repeat));
  const proxysqlBinary = env.PROXYSQL_BIN || null;
  const base = baseSluice(env.BENCH_BASE || null, values['base-args']);
  return {
    scenarios: listOf('only', values.only, Object.values(ScenarioName), defaults.scenarios),
    protocols: listOf('protocols', values.protocols, Object.values(StatementProtocol), defaults.protocols),
    clients: values.clients === undefined ? defaults.clients : integerList('clients', values.clients),
    seconds: positiveInteger('seconds', values.seconds ?? String(defaults.seconds)),
    repeat,
    repeatLong: values.quick && values.repeat === undefined ? 1 : repeat,
    targets: targetList(values.targets, base, proxysqlBinary),
    threads: positiveInteger('threads', values.threads),
    replicas: wholeNumber('replicas', values.replicas),
    idleClients: positiveInteger('idle-clients', values['idle-clients']),
    floodStatements: positiveInteger('flood-statements', values['flood-statements']),
    preparedStatements: positiveInteger('prepared-statements', values['prepared-statements']),
    bigResultMegabytes: positiveInteger('big-result-mb', values['big-result-mb']),
    sluiceArgs: splitArguments(values['sluice-args']),
    base,
    proxysqlBinary,
    saveBaseline: values['save-baseline'] === undefined ? null : fileName(values['save-baseline']),
    help: values.help,
  };
}

interface Defaults {
  readonly scenarios: readonly ScenarioName[];
  readonly protocols: readonly StatementProtocol[];
  readonly clients: readonly number[];
  readonly seconds: number;
  readonly repeat: number;
}

const FULL: Defaults = {
  scenarios: Object.values(ScenarioName),
  protocols: [StatementProtocol.text, StatementProtocol.prepared],
  clients: [1, 16, 64, 256],
  seconds: 5,
  repeat: 3,
};

const QUICK: Defaults = {
  scenarios: [
    ScenarioName.pointSelect,
    ScenarioName.tls,
    ScenarioName.idle,
    ScenarioName.bigResult,
    ScenarioName.flood,
  ],
  protocols: [StatementProtocol.text],
  clients: [1, 64],
  seconds: 3,
  repeat: 3,
};

function baseSluice(directory: string | null, args: string | undefined): BaseSluice | null {
  if (directory === null && args === undefined) return null;
  return { directory: resolve(directory ?? checkoutDirectory), args: splitArguments(args ?? '') };
}

function splitArguments(text: string): string[] {
  return text.split(' ').filter((argument) => argument !== '');
}

function targetList(
  text: string | undefined,
  base: BaseSluice | null,
  proxysqlBinary: string | null,
): readonly TargetName[] {
  const missing: ReadonlySet<string> = new Set([
    ...(base === null ? [TargetName.base] : []),
    ...(proxysqlBinary === null ? [TargetName.proxysql] : []),
  ]);
  const available = Object.values(TargetName).filter((name) => !missing.has(name));
  const chosen = listOf('targets', text, Object.values(TargetName), available);
  if (chosen.includes(TargetName.proxysql) && proxysqlBinary === null) {
    throw new Error('--targets proxysql: PROXYSQL_BIN must name the binary of ProxySQL');
  }
  if (chosen.includes(TargetName.base) && base === null)
    throw new Error('--targets base: BENCH_BASE must name a checkout, or --base-args what is different');
  return chosen;
}

/** In the order of `allowed`, so that targets always take their turns in the same order. */
function listOf<T extends string>(
  name: string,
  text: string | undefined,
  allowed: readonly T[],
  otherwise: readonly T[],
): readonly T[] {
  if (text === undefined) return otherwise;
  const words = text.split(',').map((word) => word.trim());
  for (const word of words) {
    if (!allowed.some((one) => one === word)) {
      throw new Error(`--${name}: ${JSON.stringify(word)} is none of ${allowed.join(', ')}`);
    }
  }
  return allowed.filter((one) => words.includes(one));
}

function integerList(name: string, text: string): readonly number[] {
  return text.split(',').map((word) => positiveInteger(name, word.trim()));
}

export function positiveInteger(name: string, text: string): number {
  const value = wholeNumber(name, text);
  if (value === 0) throw new Error(`--${name}: 0 is not a positive whole number`);
  return value;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name}: ${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}

function fileName(name: string): string {
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) {
    throw new Error(`--save-baseline: ${JSON.stringify(name)} is no plain file name`);
  }
  return name;
}
