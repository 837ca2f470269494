/**
 * The white list. As in ProxySQL a user is looked for with the client's address, then without one; who is not listed at
 * all may do nothing; and the digests are those of the entry that was found.
 */

import { type Firewall, FirewallMode, type FirewallRule } from '../../../common/query-rule.ts';
import { canonicalDigest } from '../../../sql/rules/query-rule-checks.ts';
import type { FirewallVerdict } from './rule-verdict.ts';

export class FirewallList {
  readonly isEnabled: boolean;
  readonly message: string;
  readonly #modes = new Map<string, FirewallMode>();
  readonly #addresses = new Set<string>();
  readonly #digests = new Map<string, Set<string>>();
  readonly #usernames = new Set<string>();
  readonly #schemas = new Set<string>();

  /** Without the rules: these may be many, and are added one by one. */
  constructor({ enabled, errorMessage, users }: Omit<Firewall, 'rules'>) {
    this.isEnabled = enabled;
    this.message = errorMessage;
    if (!enabled) return;
    for (const { active, username, clientAddress, mode } of users) {
      if (!active) continue;
      this.#modes.set(`${username}\0${clientAddress}`, mode);
      this.#usernames.add(username);
      this.#addresses.add(clientAddress);
    }
  }

  add({ active, username, clientAddress, schemaname, flagIn, digest }: FirewallRule): void {
    const name = canonicalDigest(digest);
    if (!active || name === null) return;
    const key = `${username}\0${clientAddress}\0${schemaname}\0${flagIn}`;
    const digests = this.#digests.get(key) ?? new Set();
    this.#digests.set(key, digests.add(name));
    this.#schemas.add(schemaname);
  }

  get usernames(): ReadonlySet<string> {
    return this.#usernames;
  }

  get schemas(): ReadonlySet<string> {
    return this.#schemas;
  }

  get addresses(): ReadonlySet<string> {
    return this.#addresses;
  }

  /** @param flag behind all rules. @param digest asked for its name only if that matters. */
  verdict(
    { username, schema, clientAddress }: { username: string; schema: string | null; clientAddress: string },
    flag: number,
    digest: { readonly name: string },
  ): FirewallVerdict {
    if (!this.isEnabled) return 'off';
    let address = clientAddress;
    let mode = this.#modes.get(`${username}\0${address}`);
    if (mode === undefined) {
      address = '';
      mode = this.#modes.get(`${username}\0`) ?? FirewallMode.PROTECTING;
    }
    if (mode === FirewallMode.OFF) return 'off';
    const digests = this.#digests.get(`${username}\0${address}\0${schema ?? ''}\0${flag}`);
    if (digests?.has(digest.name) === true) return 'allowed';
    return mode === FirewallMode.PROTECTING ? 'blocked' : 'detected';
  }
}
