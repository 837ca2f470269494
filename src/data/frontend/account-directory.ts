/**
 * The accounts as this worker knows them, and the wait for those that may be newer.
 *
 * A login is looked up in the snapshot's table. While a statement through this Sluice may have changed accounts, or the
 * primary's have not been read at all, logins wait for the next reading, but not for long: then what is known counts,
 * or the login is refused because nothing is.
 */

import { createHash } from 'node:crypto';
import type { Account as ProtocolAccount } from '../../../protocol/index.ts';
import { AccountSource, type PlacedAccount } from '../../common/account.ts';
import { AccountTable } from '../../common/account-table.ts';
import { type ClientHost, clientHostOf } from '../../common/host-pattern.ts';
import type { SnapshotAccounts } from '../../common/snapshot.ts';
import type { AccountLookup } from '../worker-context.ts';

/** The control plane reads accounts within milliseconds, if the primary answers. */
const LONGEST_WAIT_MS = 2000;
const SHA2_SALT_AND_HASH = 63;

export class AccountDirectory implements AccountLookup {
  readonly #currentEpoch: () => number;
  readonly #wanted: () => void;
  /** Makes decoys differ from one Sluice to the next. */
  readonly #seed: string;
  #accounts: SnapshotAccounts;
  #table: AccountTable;
  readonly #waiting = new Set<() => void>();

  /**
   * @param currentEpoch `Gauge.accountsEpoch` now
   * @param wanted asks for the accounts to be read again
   */
  constructor(accounts: SnapshotAccounts, seed: string, currentEpoch: () => number, wanted: () => void) {
    this.#accounts = accounts;
    this.#table = new AccountTable(accounts.table);
    this.#seed = seed;
    this.#currentEpoch = currentEpoch;
    this.#wanted = wanted;
  }

  get state(): SnapshotAccounts {
    return this.#accounts;
  }

  apply(accounts: SnapshotAccounts): void {
    if (accounts.table !== this.#accounts.table) this.#table = new AccountTable(accounts.table);
    this.#accounts = accounts;
    if (this.#isCurrent()) for (const wake of [...this.#waiting]) wake();
  }

  hostOf(remoteAddress: string): ClientHost {
    return clientHostOf(remoteAddress, this.#accounts.policy.resolvesLoopback);
  }

  /** While the primary's accounts are not known nobody can say. */
  allowsHost(host: ClientHost): boolean {
    return this.#accounts.source !== 'read' || this.#table.allows(host);
  }

  find(username: string, host: ClientHost): PlacedAccount | null | Promise<PlacedAccount | null> {
    const account = this.#table.find(username, host);
    // Nothing that the primary says changes a listed account.
    if (this.#isCurrent() || account?.source === AccountSource.config) return account;
    return this.#whenCurrent().then(() => this.#table.find(username, host));
  }

  /** Somebody was refused whom the primary may know by now. */
  refused(account: PlacedAccount | null): void {
    if (this.#accounts.source !== 'listed' && account?.source !== AccountSource.config) this.#wanted();
  }

  /**
   * What an unknown user's account would look like: always the same for one name, and of the kinds that there are, so
   * that nothing tells the known names from the others. Nothing opens it.
   */
  decoyFor(username: string): ProtocolAccount {
    const digest = createHash('sha256').update(this.#seed).update(username).digest();
    const text = digest.toString('hex');
    switch (this.#table.kindFor(digest.readUInt32LE(0))) {
      case 'sha2':
        return { credentials: [{ kind: 'sha2', hash: `$A$005$${text.slice(0, SHA2_SALT_AND_HASH)}` }] };
      case 'ed25519':
        return { credentials: [{ kind: 'ed25519', hash: `${text.slice(0, 42)}A` }] };
      case 'native':
        return { credentials: [{ kind: 'native', hash: `*${text.slice(0, 40).toUpperCase()}` }] };
      default:
        return { credentials: [{ kind: 'plain', password: text }] };
    }
  }

  #isCurrent(): boolean {
    const { source, epoch } = this.#accounts;
    return source === 'listed' || (source === 'read' && epoch === this.#currentEpoch());
  }

  #whenCurrent(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, LONGEST_WAIT_MS);
      this.#waiting.add(wake);
      this.#wanted();
    });
  }
}
