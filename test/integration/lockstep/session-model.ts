import type { SeededRandom } from '../../support/seeded-random.ts';
import type { ServerName } from '../differential/corpus.ts';

/** Why a session may hold a server connection, as far as the generator is concerned: rather too often than too seldom. */
export type HoldReason = 'transaction' | 'locks' | 'binary' | 'sticky';

export interface PreparedModel {
  readonly parameters: number;
  readonly rows: boolean;
}

/**
 * What the generator knows of one session: enough to make steps that are valid more often than not, that never wait
 * for another session, and whose answers do not depend on time or plans.
 */
export class SessionModel {
  readonly number: number;
  readonly server: ServerName;
  readonly holds = new Set<HoldReason>();
  autocommit = true;
  /** In a transaction, or about to be. */
  inTransaction = false;
  /** Plain reads would lock. */
  serializable = false;
  xa: 'none' | 'active' | 'idle' | 'prepared' = 'none';
  xaNumber = 0;
  readonly textStatements = new Map<string, number>();
  readonly binaryStatements = new Map<string, PreparedModel>();
  handler = false;
  /** The client has to connect again. */
  gone = false;

  constructor(number: number, server: ServerName) {
    this.number = number;
    this.server = server;
  }

  /** A table that only this session uses. */
  table(random: SeededRandom): string {
    return `diff.p${this.number}_${random.pick(['a', 'b'])}`;
  }

  get name(): string {
    return `s${this.number}`;
  }

  /** Whether the session may touch the tables that all use: it must hold no locks on them afterwards. */
  get mayShare(): boolean {
    return !this.inTransaction && this.autocommit && this.xa === 'none' && !this.holds.has('locks');
  }

  begin(): void {
    this.inTransaction = true;
    this.holds.add('transaction');
  }

  end(): void {
    this.inTransaction = false;
    if (this.autocommit) this.holds.delete('transaction');
  }

  /** COM_RESET_CONNECTION, COM_CHANGE_USER, or a new connection. */
  reset(): void {
    this.holds.clear();
    this.autocommit = true;
    this.inTransaction = false;
    this.serializable = false;
    this.xa = 'none';
    this.textStatements.clear();
    this.binaryStatements.clear();
    this.handler = false;
  }

  reconnect(): void {
    this.reset();
    this.gone = false;
  }
}

/** Tables of the sessions, and one that all of them use. */
export function lockstepTables(sessions: number): string[] {
  const columns = 'id INT PRIMARY KEY AUTO_INCREMENT, n INT, v VARCHAR(20), UNIQUE KEY (n)';
  const names = Array.from({ length: sessions }, (_, index) => [`p${index + 1}_a`, `p${index + 1}_b`]).flat();
  return [...names, 'shared'].map((name) => `CREATE TABLE diff.${name} (${columns})`);
}
