/** `mysql_query_rules_fast_routing`: a hostgroup for a user and a schema, found by one lookup. */

import type { FastRoutingRule } from '../../../common/query-rule.ts';

export class FastRouting {
  readonly #destinations = new Map<string, number>();
  readonly #usernames = new Set<string>();
  readonly #schemas = new Set<string>();

  add({ username, schemaname, flagIn, destinationHostgroup }: FastRoutingRule): void {
    this.#destinations.set(keyOf(username, schemaname, flagIn), destinationHostgroup);
    this.#usernames.add(username);
    this.#schemas.add(schemaname);
  }

  get usernames(): ReadonlySet<string> {
    return this.#usernames;
  }

  get schemas(): ReadonlySet<string> {
    return this.#schemas;
  }

  /** An entry for the user comes before one for all users. */
  destination(username: string, schema: string | null, flag: number): number | null {
    if (this.#destinations.size === 0) return null;
    const own = this.#destinations.get(keyOf(username, schema ?? '', flag));
    return own ?? this.#destinations.get(keyOf('', schema ?? '', flag)) ?? null;
  }
}

function keyOf(username: string, schema: string, flag: number): string {
  return `${username}\0${schema}\0${flag}`;
}
