/**
 * All accounts in one block of shared memory: a hash table by user name whose entries are JSON. Ten thousand accounts
 * reach every worker without a copy, and a login reads the entry of its user only.
 *
 * Layout, in 32-bit words: number of buckets, then for the summary, for the anonymous accounts and for each bucket the
 * offset and the length of its text.
 */

import type { PlacedAccount } from './account.ts';
import { type ClientHost, compareHosts, hostMatches, maskBitsOf, type PatternOrder } from './host-pattern.ts';

interface Summary {
  readonly count: number;
  /** Every pattern that some account has, once. */
  readonly hosts: readonly string[];
  /** How the accounts of servers prove themselves, each kind as often as it is there (up to a limit). */
  readonly kinds: readonly string[];
  readonly order: PatternOrder;
}

const HEADER_WORDS = 5;
const SUMMARY = 1;
const ANONYMOUS = 3;
/** Enough to choose a decoy from in proportion. */
const MOST_KINDS = 64;

export class AccountTable {
  readonly #words: Uint32Array;
  readonly #bytes: Buffer;
  readonly #summary: Summary;
  readonly #anonymous: readonly PlacedAccount[];

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Uint32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
    this.#bytes = Buffer.from(buffer);
    this.#summary = JSON.parse(this.#text(SUMMARY)) as Summary;
    this.#anonymous = this.#list(ANONYMOUS);
  }

  get count(): number {
    return this.#summary.count;
  }

  /** One of the kinds of credential that accounts have, always the same for the same number. */
  kindFor(number: number): string | null {
    const { kinds } = this.#summary;
    return kinds.length === 0 ? null : kinds[number % kinds.length]!;
  }

  /** Whether any account at all is for clients from there: servers do not even greet the others. */
  allows(client: ClientHost): boolean {
    return this.#summary.hosts.some((pattern) => hostMatches(pattern, client));
  }

  /** The account that a server would choose, whether its password will be right or not. */
  find(username: string, client: ClientHost): PlacedAccount | null {
    const bucket = hashOf(username) % this.#words[0]!;
    const named = this.#list(HEADER_WORDS + 2 * bucket).filter((account) => account.username === username);
    // Each list is in order already, and by far most users have one account.
    const first = named.find(({ host }) => hostMatches(host, client)) ?? null;
    const anonymous = this.#anonymous.find(({ host }) => hostMatches(host, client)) ?? null;
    if (first === null || anonymous === null) return first ?? anonymous;
    return compareHosts(anonymous.host, first.host, this.#summary.order) < 0 ? anonymous : first;
  }

  #list(word: number): readonly PlacedAccount[] {
    const text = this.#text(word);
    return text === '' ? [] : (JSON.parse(text) as PlacedAccount[]);
  }

  #text(word: number): string {
    const offset = this.#words[word]!;
    return this.#bytes.toString('utf8', offset, offset + this.#words[word + 1]!);
  }
}

export function encodeAccountTable(
  accounts: readonly PlacedAccount[],
  order: PatternOrder,
): SharedArrayBuffer {
  const sorted = accounts.toSorted(
    (left, right) =>
      // The longer mask first, which servers before MySQL 8.0.23 leave to chance.
      compareHosts(left.host, right.host, order) || maskBitsOf(right.host) - maskBitsOf(left.host),
  );
  const buckets = Math.max(1, sorted.length);
  const lists: PlacedAccount[][] = Array.from({ length: buckets }, () => []);
  const anonymous: PlacedAccount[] = [];
  for (const account of sorted) {
    if (account.username === '') anonymous.push(account);
    else lists[hashOf(account.username) % buckets]!.push(account);
  }
  const summary: Summary = { count: sorted.length, hosts: patternsOf(sorted), kinds: kindsOf(sorted), order };
  const texts = [summary, anonymous, ...lists].map((list) =>
    Buffer.from(Array.isArray(list) && list.length === 0 ? '' : JSON.stringify(list)),
  );
  const headerBytes = 4 * (1 + 2 * texts.length);
  const size = texts.reduce((total, { length }) => total + length, headerBytes);
  const buffer = new SharedArrayBuffer(size);
  const words = new Uint32Array(buffer, 0, headerBytes / 4);
  const bytes = Buffer.from(buffer);
  words[0] = buckets;
  let offset = headerBytes;
  for (const [index, text] of texts.entries()) {
    words.set([offset, text.length], 1 + 2 * index);
    offset += text.copy(bytes, offset);
  }
  return buffer;
}

function patternsOf(accounts: readonly PlacedAccount[]): string[] {
  const patterns = new Set(accounts.map(({ host }) => (host === '' ? '%' : host)));
  return patterns.has('%') ? ['%'] : [...patterns];
}

function kindsOf(accounts: readonly PlacedAccount[]): string[] {
  const kinds: string[] = [];
  const step = Math.max(1, Math.ceil(accounts.length / MOST_KINDS));
  for (let i = 0; i < accounts.length; i += step) {
    const kind = accounts[i]!.credentials[0]?.kind;
    if (kind !== undefined && kind !== 'none') kinds.push(kind);
  }
  return kinds;
}

/** FNV-1a over the UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
