/** One run of a scenario: load, damage, load again, end, and what came of it. */

import type { BankAudit } from '../../test/chaos/bank-audit.ts';
import { type ChaosVerdict, judge } from '../../test/chaos/chaos-verdict.ts';
import { inFlightAt, longestPauses, writesAgainAfterMs } from '../../test/chaos/pauses.ts';
import type { SysbenchLoadResult } from '../../test/chaos/sysbench-load.ts';
import type { Transfer } from '../../test/chaos/transfer.ts';
import type { DatabaseServer } from '../../test/support/database-server.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import type { Scenario } from './scenarios.ts';
import { Stage, type StageOptions } from './stage.ts';

export interface RunResult {
  /** Empty: every promise was kept. */
  readonly broken: readonly string[];
  readonly audit: BankAudit;
  readonly sysbench: Omit<SysbenchLoadResult, 'output'> | null;
  /** The longest of each client of the bank. */
  readonly pausesMs: readonly number[];
  /** From the damage to the first acknowledged write on another server; null: there was none. */
  readonly writesAgainMs: number | null;
  /** Transfers under way when the damage was done, and how many of them ended without an error. */
  readonly inFlight: number;
  readonly inFlightWithoutError: number;
  /** Whether the old primary follows the new one in the end. */
  readonly rejoined: boolean;
  /** Names of the servers that took acknowledged writes, in order. */
  readonly terms: readonly string[];
  /** Rows that a server wrote when its term was over, which nobody was told of. */
  readonly lateWrites: number;
}

export type RunOptions = Omit<StageOptions, 'config' | 'stopsAtErrors'>;

const TRANSFERS_BEFORE = 10;
const TRANSFERS_AFTER = 10;
const REJOIN_TIMEOUT_MS = 20_000;
const LOAD_TIMEOUT_MS = 30_000;

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<RunResult> {
  const { config, isSilent } = scenario;
  const stage = await Stage.start({ ...options, config, stopsAtErrors: isSilent });
  try {
    return await runOn(stage, scenario);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${stage.sluice.logTail()}`, { cause: error });
  } finally {
    await stage.dispose();
  }
}

async function runOn(stage: Stage, scenario: Scenario): Promise<RunResult> {
  const { bank, set } = stage;
  const loadedAtMs = performance.now();
  await bank.waitForEach(TRANSFERS_BEFORE, LOAD_TIMEOUT_MS);
  const sinceMs = performance.now();
  const failure = await scenario.run(stage).then(
    () => null,
    (error: Error) => error.message,
  );
  const recovered = await bank.waitForEach(TRANSFERS_AFTER, LOAD_TIMEOUT_MS).then(
    () => null,
    (error: Error) => error.message,
  );
  const sysbench = await endSysbench(stage, recovered === null);
  const endedAtMs = performance.now();
  const transfers = await bank.stop();
  // Where nobody has taken over, what was killed is still away.
  for (const server of set.servers) await server.start();
  const rejoined = await waitForRejoin(stage);
  const survivor = (await stage.writable()) ?? set.primary;
  const terms = survivor === set.primary ? [set.primary] : [set.primary, survivor];
  const servers = set.servers.filter((server) => server.running);
  const verdict = await judge({ transfers, survivor, servers, terms });
  const broken = [
    ...[failure, recovered].filter((message) => message !== null),
    ...verdict.broken,
    ...(scenario.isSilent ? clientErrors(verdict.audit, sysbench) : []),
    ...(rejoined ? [] : ['the old primary does not follow the new one']),
  ];
  const window = { fromMs: loadedAtMs, toMs: endedAtMs };
  return { broken, rejoined, ...figures({ stage, transfers, verdict, sysbench, sinceMs, window }) };
}

interface Gathered {
  readonly stage: Stage;
  readonly transfers: readonly Transfer[];
  readonly verdict: ChaosVerdict;
  readonly sysbench: SysbenchLoadResult | null;
  readonly sinceMs: number;
  readonly window: { readonly fromMs: number; readonly toMs: number };
}

function figures(gathered: Gathered): Omit<RunResult, 'broken' | 'rejoined'> {
  const { stage, transfers, verdict, sysbench, sinceMs, window } = gathered;
  const { set } = stage;
  const { inFlight, withoutError } = inFlightAt(transfers, sinceMs);
  return {
    audit: verdict.audit,
    sysbench: sysbench === null ? null : withoutOutput(sysbench),
    pausesMs: longestPauses(transfers, window),
    writesAgainMs: writesAgainAfterMs(transfers, verdict.ledger, set.primary.serverId, sinceMs),
    inFlight,
    inFlightWithoutError: withoutError,
    terms: verdict.splitBrain.terms.map(({ serverId }) => set.nameOf(serverId)),
    lateWrites: verdict.splitBrain.lateWrites.length,
  };
}

function withoutOutput({ output: _, ...figuresOf }: SysbenchLoadResult): RunResult['sysbench'] {
  return figuresOf;
}

function clientErrors(audit: BankAudit, sysbench: SysbenchLoadResult | null): string[] {
  const errors = Object.entries(audit.errors).map(([error, count]) => `${count} clients' errors: ${error}`);
  if (sysbench?.survived === false) errors.push(`sysbench: ${/FATAL.*/.exec(sysbench.output)?.[0]}`);
  return errors;
}

/** Waits for its own end, unless there is nothing left to wait for. */
async function endSysbench(stage: Stage, goesOn: boolean): Promise<SysbenchLoadResult | null> {
  if (stage.sysbench === null) return null;
  return goesOn ? stage.sysbench.ended() : stage.sysbench.stop();
}

async function waitForRejoin({ set }: Stage): Promise<boolean> {
  return waitUntil(
    'all but one follow',
    async () => (await Promise.all(set.servers.map(follows))).filter((one) => !one).length === 1,
    {
      timeoutMs: REJOIN_TIMEOUT_MS,
    },
  ).then(
    () => true,
    () => false,
  );
}

async function follows(server: DatabaseServer): Promise<boolean> {
  const [status] = await server.query<Record<string, string>>('SHOW SLAVE STATUS');
  return status?.Slave_IO_Running === 'Yes' && status.Slave_SQL_Running === 'Yes';
}
