/** Who runs a statement, and where: made once for each user, schema and client, since each has its own statistics. */

export interface StatementContext {
  readonly username: string;
  /** '' for none. */
  readonly schema: string;
  /** '' unless addresses are told apart. */
  readonly clientAddress: string;
  readonly hash: number;
}

/** More are made again when they are needed: what is counted compares their contents. */
const LIMIT = 20_000;

export class StatementContexts {
  readonly #made = new Map<string, StatementContext>();
  readonly #seed: number;

  /** @param seed secret, so that nobody can choose names that collide. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  of(username: string, schema: string, clientAddress: string): StatementContext {
    const key = `${username}\0${schema}\0${clientAddress}`;
    let context = this.#made.get(key);
    if (context === undefined) {
      if (this.#made.size >= LIMIT) this.#made.clear();
      context = Object.freeze({ username, schema, clientAddress, hash: hashOf(key, this.#seed) });
      this.#made.set(key, context);
    }
    return context;
  }
}

export function isSameContext(a: StatementContext, b: StatementContext): boolean {
  return a.username === b.username && a.schema === b.schema && a.clientAddress === b.clientAddress;
}

/** FNV-1a over the UTF-16 units. */
function hashOf(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) | 0;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
