/**
 * What an operation leaves in the servers, so that any Sluice finds it: a row in `sluice.operation`, written on the
 * primary before anything changes and replicated from there. How far it came is not written down: the servers' own
 * state says that better (operation-recovery.ts).
 *
 * `running` is 1 until the end, and unique: two processes cannot both have begun.
 */

import { ER_BAD_DB_ERROR, ER_DUP_ENTRY, ER_NO_SUCH_TABLE } from '../../common/server-errno.ts';
import type { ServerAddress } from '../../topology/server-description.ts';
import type { Row } from '../monitor/monitor-connection.ts';
import { errnoOf } from '../monitor/server-error.ts';
import { OperationKind, OperationOutcome } from './operation-event.ts';
import { quote } from './servers/replication-statements.ts';
import type { ServerLink } from './servers/server-link.ts';

export interface OperationRecord {
  readonly id: string;
  readonly kind: OperationKind;
  /** The old primary. */
  readonly from: ServerAddress;
  readonly to: ServerAddress;
  /** UTC, as the server writes it. */
  readonly beganAt: string;
}

const SCHEMA = 'CREATE DATABASE IF NOT EXISTS `sluice`';
const TABLE = `CREATE TABLE IF NOT EXISTS \`sluice\`.\`operation\` (
  id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  kind VARCHAR(16) CHARACTER SET ascii NOT NULL,
  old_primary VARCHAR(300) NOT NULL,
  new_primary VARCHAR(300) NOT NULL,
  began_at DATETIME(3) NOT NULL,
  ended_at DATETIME(3) NULL,
  outcome VARCHAR(16) CHARACTER SET ascii NULL,
  reason VARCHAR(1000) NOT NULL DEFAULT '',
  running TINYINT NULL UNIQUE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

const MAX_REASON_LENGTH = 1000;
/** Where commits wait for replicas they do so for ten seconds, unless told. */
const COMMIT_TIMEOUT_MS = 15_000;

/** Nobody has ever begun an operation here. */
function hasNoTable(error: unknown): boolean {
  return errnoOf(error) === ER_NO_SUCH_TABLE || errnoOf(error) === ER_BAD_DB_ERROR;
}

function recordOf(row: Row): OperationRecord {
  const kind = Object.values(OperationKind).find((each) => each === row.kind);
  return {
    id: row.id ?? '',
    kind: kind ?? OperationKind.recovery,
    from: row.old_primary ?? '',
    to: row.new_primary ?? '',
    beganAt: row.began_at ?? '',
  };
}

/** The one that runs, or was left; null for none. @throws ServerOrderError */
export async function readRunningOperation(link: ServerLink): Promise<OperationRecord | null> {
  const sql = `SELECT id, kind, old_primary, new_primary, began_at FROM \`sluice\`.\`operation\` WHERE running = 1`;
  try {
    const [row] = await link.query(sql);
    return row === undefined ? null : recordOf(row);
  } catch (error) {
    if (hasNoTable(error)) return null;
    throw error;
  }
}

/** @param keptDays finished ones that are older are forgotten. @throws ServerOrderError, also when another one runs */
export async function beginRecord(
  link: ServerLink,
  { id, kind, from, to }: Omit<OperationRecord, 'beganAt'>,
  keptDays: number,
): Promise<void> {
  const values = [id, kind, from, to].map(quote).join(', ');
  const insert = `INSERT INTO \`sluice\`.\`operation\` (id, kind, old_primary, new_primary, began_at, running)
    VALUES (${values}, UTC_TIMESTAMP(3), 1)`;
  try {
    await link.query(insert);
  } catch (error) {
    if (errnoOf(error) === ER_DUP_ENTRY)
      throw new Error('another operation has been recorded as running', { cause: error });
    if (!hasNoTable(error)) throw error;
    await link.query(SCHEMA);
    await link.query(TABLE);
    await link.query(insert);
  }
  await link.query(`DELETE FROM \`sluice\`.\`operation\`
    WHERE running IS NULL AND began_at < UTC_TIMESTAMP(3) - INTERVAL ${keptDays} DAY`);
}

/** On the server that is primary now; a second time changes nothing. @throws ServerOrderError */
export async function endRecord(
  link: ServerLink,
  id: string,
  outcome: OperationOutcome,
  reason: string,
): Promise<void> {
  const sql = `UPDATE \`sluice\`.\`operation\`
    SET ended_at = UTC_TIMESTAMP(3), outcome = ${quote(outcome)}, running = NULL,
      reason = ${quote(reason.slice(0, MAX_REASON_LENGTH))}
    WHERE id = ${quote(id)} AND running = 1`;
  await link.query(sql, { timeoutMs: COMMIT_TIMEOUT_MS });
}

/** Whether this server knows that it has. @throws ServerOrderError */
export async function hasEnded(link: ServerLink, id: string): Promise<boolean> {
  const sql = `SELECT 1 FROM \`sluice\`.\`operation\` WHERE id = ${quote(id)} AND running IS NULL`;
  try {
    return (await link.query(sql)).length > 0;
  } catch (error) {
    if (hasNoTable(error)) return false;
    throw error;
  }
}

/** Servers whose place as primary another one has taken, and that have not been primary since. @throws ServerOrderError */
export async function readReplaced(link: ServerLink): Promise<ReadonlySet<ServerAddress>> {
  const sql = `SELECT old_primary, new_primary FROM \`sluice\`.\`operation\`
    WHERE outcome = ${quote(OperationOutcome.done)} ORDER BY began_at`;
  const replaced = new Set<ServerAddress>();
  try {
    for (const row of await link.query(sql)) {
      replaced.add(row.old_primary ?? '');
      replaced.delete(row.new_primary ?? '');
    }
  } catch (error) {
    if (!hasNoTable(error)) throw error;
  }
  return replaced;
}
