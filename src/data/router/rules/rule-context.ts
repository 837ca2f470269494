/**
 * Sessions that no rule tells from each other share a context: what is found out for one of them holds for all. A
 * context belongs to one set of rules, and is compared by reference.
 */

import type { ClientAddressPattern, CompiledRule } from './compiled-rule.ts';
import type { RuleSession } from './rule-session.ts';
import { type VerdictEnvironment, VerdictTree } from './verdict-tree.ts';

/** Then they are made anew; a session keeps the one that it has. */
const MAX_CONTEXTS = 10_000;

export class RuleContext {
  /** One of those that share it: for all questions of rules the others are like it. */
  readonly session: RuleSession;
  readonly flagIn: number;
  readonly generation: number;
  readonly tree: VerdictTree;

  constructor(session: RuleSession, flagIn: number, generation: number, environment: VerdictEnvironment) {
    this.session = session;
    this.generation = generation;
    this.flagIn = flagIn;
    this.tree = new VerdictTree(environment, flagIn);
  }
}

/** Lists that are asked for users and schemas as well, each for those that it has. */
export interface AskingList {
  readonly usernames: ReadonlySet<string>;
  readonly schemas: ReadonlySet<string>;
}

/** What the rules, all together, ask about sessions. */
export class RuleContexts {
  readonly #usernames = new Set<string>();
  readonly #schemas = new Set<string>();
  readonly #clients = new Map<string, ClientAddressPattern>();
  readonly #proxyAddresses = new Set<string>();
  readonly #proxyPorts = new Set<number>();
  #lists: readonly AskingList[] = [];
  #addresses: ReadonlySet<string> = new Set();
  #generation = 0;
  #environmentOf: ((session: RuleSession) => VerdictEnvironment) | null = null;
  readonly #contexts = new Map<string, RuleContext>();

  /** A rule that asks. */
  add({ username, schemaname, clientAddr, proxyAddr, proxyPort }: CompiledRule): void {
    if (username !== null) this.#usernames.add(username);
    if (schemaname !== null) this.#schemas.add(schemaname);
    if (clientAddr !== null) this.#clients.set(clientAddr.text, clientAddr);
    if (proxyAddr !== null) this.#proxyAddresses.add(proxyAddr);
    if (proxyPort !== null) this.#proxyPorts.add(proxyPort);
  }

  /** When all rules have been added. @param limited users with a rate limit. */
  complete(
    lists: readonly AskingList[],
    limited: readonly string[],
    addresses: ReadonlySet<string>,
    generation: number,
    environmentOf: (session: RuleSession) => VerdictEnvironment,
  ): void {
    this.#lists = lists;
    for (const username of limited) this.#usernames.add(username);
    this.#addresses = addresses;
    this.#generation = generation;
    this.#environmentOf = environmentOf;
  }

  contextOf(session: RuleSession, flagIn: number): RuleContext {
    const key = this.#keyOf(session, flagIn);
    let context = this.#contexts.get(key);
    if (context === undefined) {
      if (this.#contexts.size >= MAX_CONTEXTS) this.#contexts.clear();
      if (this.#environmentOf === null) throw new Error('the rules are not complete');
      context = new RuleContext(session, flagIn, this.#generation, this.#environmentOf(session));
      this.#contexts.set(key, context);
    }
    return context;
  }

  /** What is asked about the session, with its answers. */
  #keyOf({ username, schema, clientAddress, proxyAddress, proxyPort }: RuleSession, flagIn: number): string {
    let clients = '';
    for (const pattern of this.#clients.values()) clients += pattern.matches(clientAddress) ? '1' : '0';
    return JSON.stringify([
      flagIn,
      this.#asksForUser(username) ? username : null,
      schema === null ? 0 : this.#asksForSchema(schema) ? schema : null,
      clients,
      this.#addresses.has(clientAddress) ? clientAddress : null,
      this.#proxyAddresses.has(proxyAddress) ? proxyAddress : null,
      this.#proxyPorts.has(proxyPort) ? proxyPort : null,
    ]);
  }

  #asksForUser(username: string): boolean {
    return this.#usernames.has(username) || this.#lists.some(({ usernames }) => usernames.has(username));
  }

  #asksForSchema(schema: string): boolean {
    return this.#schemas.has(schema) || this.#lists.some(({ schemas }) => schemas.has(schema));
  }
}
