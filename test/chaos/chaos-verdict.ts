/** All that is to be found out once a workload has ended: what was lost, doubled, or written where it must not be. */

import type { DatabaseServer } from '../support/database-server.ts';
import { auditBank, type BankAudit, brokenPromises } from './bank-audit.ts';
import { readBalances, readLedger } from './bank-workload.ts';
import { findSplitBrain, type SplitBrainReport, splitBrains } from './split-brain.ts';
import type { LedgerRow, Transfer } from './transfer.ts';

export interface ChaosVerdict {
  readonly audit: BankAudit;
  readonly splitBrain: SplitBrainReport;
  /** Of the survivor. */
  readonly ledger: readonly LedgerRow[];
  /** Empty: every promise was kept. */
  readonly broken: readonly string[];
}

export interface VerdictQuestion {
  readonly transfers: readonly Transfer[];
  /** What counts in the end: the primary. */
  readonly survivor: DatabaseServer;
  /** All that run, the survivor and old primaries too. */
  readonly servers: readonly DatabaseServer[];
  /** Servers in the order in which they became primary. */
  readonly terms: readonly DatabaseServer[];
}

export async function judge({ transfers, survivor, servers, terms }: VerdictQuestion): Promise<ChaosVerdict> {
  const ledgers = await Promise.all(servers.map((server) => readLedger(server)));
  const ledger = await readLedger(survivor);
  const audit = auditBank(transfers, ledger, await readBalances(survivor));
  const serverIds = terms.map(({ serverId }) => serverId);
  const splitBrain = findSplitBrain(transfers, ledgers, serverIds);
  return { audit, splitBrain, ledger, broken: [...brokenPromises(audit), ...splitBrains(splitBrain)] };
}
