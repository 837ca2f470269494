/** One run of a scenario: load, damage, load again, end, and what came of it. */

import type { BankAudit } from '../../test/chaos/bank-audit.ts';
import { readLedger } from '../../test/chaos/bank-workload.ts';
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
  readonly sysbench: SysbenchLoadResult | null;
  /** The longest of each client of the bank. */
  readonly pausesMs: readonly number[];
  /** The same before the damage: what this machine does to clients when nothing happens. */
  readonly quietPausesMs: readonly number[];
  /** From the damage to the first acknowledged write on another server; null: there was none. */
  readonly writesAgainMs: number | null;
  /** Transfers under way when the damage was done, and how many of them ended without an error. */
  readonly inFlight: number;
  readonly inFlightWithoutError: number;
  /** What has become of the old primary. */
  readonly oldPrimary: OldPrimary;
  /** Names of the servers that took acknowledged writes, in order. */
  readonly terms: readonly string[];
  /** Rows that a server wrote when its term was over, which nobody was told of. */
  readonly lateWrites: number;
}

export const OldPrimary = {
  follows: 'follows',
  /** It has transactions of its own, and Sluice has named them. */
  keptOut: 'kept out',
  left: 'left',
} as const;
export type OldPrimary = (typeof OldPrimary)[keyof typeof OldPrimary];

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
  await bank.waitForEach(1, LOAD_TIMEOUT_MS);
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
  const recoveredAtMs = performance.now();
  const sysbench = await endSysbench(stage, recovered === null);
  const transfers = await bank.stop();
  // Where nobody has taken over, what was killed is still away.
  for (const server of set.servers) await server.start();
  const oldPrimary = await waitForOldPrimary(stage);
  const survivor = (await stage.writable()) ?? set.primary;
  const terms = survivor === set.primary ? [set.primary] : [set.primary, survivor];
  const servers = set.servers.filter((server) => server.running);
  const verdict = await judge({ transfers, survivor, servers, terms });
  const broken = [
    ...[failure, recovered].filter((message) => message !== null),
    ...verdict.broken,
    ...(scenario.isSilent ? clientErrors(verdict.audit, sysbench) : []),
    ...(oldPrimary === OldPrimary.left ? ['the old primary neither follows nor was kept out'] : []),
    ...(await differences(set.servers, survivor)),
  ];
  const gathered = { stage, transfers, verdict, sysbench, loadedAtMs, sinceMs, recoveredAtMs };
  return { broken, oldPrimary, ...figures(gathered) };
}

interface Gathered {
  readonly stage: Stage;
  readonly transfers: readonly Transfer[];
  readonly verdict: ChaosVerdict;
  readonly sysbench: SysbenchLoadResult | null;
  readonly loadedAtMs: number;
  readonly sinceMs: number;
  readonly recoveredAtMs: number;
}

function figures(gathered: Gathered): Omit<RunResult, 'broken' | 'oldPrimary'> {
  const { stage, transfers, verdict, sysbench, loadedAtMs, sinceMs, recoveredAtMs } = gathered;
  const { set } = stage;
  const { inFlight, withoutError } = inFlightAt(transfers, sinceMs);
  const beforeThat = transfers.filter(({ endedAtMs }) => endedAtMs < sinceMs);
  return {
    audit: verdict.audit,
    sysbench,
    pausesMs: longestPauses(transfers, { fromMs: sinceMs, toMs: recoveredAtMs }),
    quietPausesMs: longestPauses(beforeThat, { fromMs: loadedAtMs, toMs: sinceMs }),
    writesAgainMs: writesAgainAfterMs(transfers, verdict.ledger, set.primary.serverId, sinceMs),
    inFlight,
    inFlightWithoutError: withoutError,
    terms: verdict.splitBrain.terms.map(({ serverId }) => set.nameOf(serverId)),
    lateWrites: verdict.splitBrain.lateWrites.length,
  };
}

function clientErrors(audit: BankAudit, sysbench: SysbenchLoadResult | null): string[] {
  const errors = Object.entries(audit.errors).map(([error, count]) => `${count} clients' errors: ${error}`);
  if (sysbench?.survived === false) errors.push(`sysbench: ${sysbench.fatal}`);
  return errors;
}

/** Waits for its own end, unless there is nothing left to wait for. */
async function endSysbench(stage: Stage, goesOn: boolean): Promise<SysbenchLoadResult | null> {
  if (stage.sysbench === null) return null;
  return goesOn ? stage.sysbench.ended() : stage.sysbench.stop();
}

async function waitForOldPrimary({ set, sluice }: Stage): Promise<OldPrimary> {
  const { address } = set.primary;
  const look = async (): Promise<OldPrimary | null> => {
    const others = set.servers.filter((server) => server !== set.primary);
    const following = await Promise.all(set.servers.map(follows));
    if (following.filter((one) => !one).length === 1) return OldPrimary.follows;
    const isNamed = sluice.log.some(
      (line) => line.kind === 'server-kept-out' && line.address === address && line.gtids !== '',
    );
    const othersFollow = following.slice(1).filter((one) => !one).length === 1;
    return isNamed && othersFollow && others.length > 0 ? OldPrimary.keptOut : null;
  };
  return waitUntil('the old primary is dealt with', look, { timeoutMs: REJOIN_TIMEOUT_MS }).catch(
    () => OldPrimary.left,
  );
}

/** Those that follow have what they follow. */
async function differences(servers: readonly DatabaseServer[], survivor: DatabaseServer): Promise<string[]> {
  const ledgerOf = async (server: DatabaseServer): Promise<string> =>
    (await readLedger(server)).map(({ transfer, serverId }) => `${transfer} ${serverId}`).join();
  const expected = await ledgerOf(survivor);
  const found: string[] = [];
  for (const server of servers) {
    if (server === survivor || !(await follows(server))) continue;
    const isSame = async (): Promise<boolean> => (await ledgerOf(server)) === expected;
    await waitUntil(`${server.name} has the same ledger`, isSame).catch(() =>
      found.push(`${server.name} follows, and has another ledger`),
    );
  }
  return found;
}

async function follows(server: DatabaseServer): Promise<boolean> {
  const [status] = await server.query<Record<string, string>>('SHOW SLAVE STATUS');
  return status?.Slave_IO_Running === 'Yes' && status.Slave_SQL_Running === 'Yes';
}
