/**
 * Sessions that no rule tells from each other share a context: what is found out for one of them holds for all. A
 * context belongs to one set of rules, and is compared by reference.
 */

import type { QueryRuleSet } from '../../../common/query-rule.ts';
import { ClientAddressPattern, type CompiledRule } from './compiled-rule.ts';
import type { FastRouting } from './fast-routing.ts';
import type { FirewallList } from './firewall-list.ts';
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

/** What the rules, all together, ask about sessions. */
export class RuleContexts {
  readonly #usernames: ReadonlySet<string>;
  readonly #schemas: ReadonlySet<string>;
  readonly #clients: readonly ClientAddressPattern[];
  readonly #addresses: ReadonlySet<string>;
  readonly #proxyAddresses: ReadonlySet<string>;
  readonly #proxyPorts: ReadonlySet<number>;
  readonly #generation: number;
  readonly #environmentOf: (session: RuleSession) => VerdictEnvironment;
  readonly #contexts = new Map<string, RuleContext>();

  constructor(
    rules: readonly CompiledRule[],
    { userRateLimits }: Pick<QueryRuleSet, 'userRateLimits'>,
    fastRouting: FastRouting,
    firewall: FirewallList,
    generation: number,
    environmentOf: (session: RuleSession) => VerdictEnvironment,
  ) {
    const limited = userRateLimits.map(({ username }) => username);
    const lists = [fastRouting, firewall];
    this.#usernames = new Set([
      ...named(rules, ({ username }) => username),
      ...lists.flatMap(({ usernames }) => [...usernames]),
      ...limited,
    ]);
    this.#schemas = new Set([
      ...named(rules, ({ schemaname }) => schemaname),
      ...lists.flatMap(({ schemas }) => [...schemas]),
    ]);
    const clients = new Set(named(rules, ({ clientAddr }) => clientAddr?.text ?? null));
    this.#clients = [...clients].map((text) => new ClientAddressPattern(text));
    this.#addresses = firewall.addresses;
    this.#proxyAddresses = new Set(named(rules, ({ proxyAddr }) => proxyAddr));
    this.#proxyPorts = new Set(named(rules, ({ proxyPort }) => proxyPort));
    this.#generation = generation;
    this.#environmentOf = environmentOf;
  }

  contextOf(session: RuleSession, flagIn: number): RuleContext {
    const key = this.#keyOf(session, flagIn);
    let context = this.#contexts.get(key);
    if (context === undefined) {
      if (this.#contexts.size >= MAX_CONTEXTS) this.#contexts.clear();
      context = new RuleContext(session, flagIn, this.#generation, this.#environmentOf(session));
      this.#contexts.set(key, context);
    }
    return context;
  }

  /** What is asked about the session, with its answers. */
  #keyOf({ username, schema, clientAddress, proxyAddress, proxyPort }: RuleSession, flagIn: number): string {
    let clients = '';
    for (const pattern of this.#clients) clients += pattern.matches(clientAddress) ? '1' : '0';
    return JSON.stringify([
      flagIn,
      this.#usernames.has(username) ? username : null,
      schema === null ? 0 : this.#schemas.has(schema) ? schema : null,
      clients,
      this.#addresses.has(clientAddress) ? clientAddress : null,
      this.#proxyAddresses.has(proxyAddress) ? proxyAddress : null,
      this.#proxyPorts.has(proxyPort) ? proxyPort : null,
    ]);
  }
}

function named<T>(rules: readonly CompiledRule[], read: (rule: CompiledRule) => T | null): T[] {
  return rules.map(read).filter((value) => value !== null);
}
