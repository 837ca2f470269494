/**
 * Which rules have matched, one behind the other, as a tree: the same rules lead to the same node, and a node to the
 * same verdict, so that verdicts are made once and compared by reference.
 */

import type { QueryRule, RateLimit } from '../../../common/query-rule.ts';
import type { RuleEdge } from './compiled-rule.ts';
import type { FirewallVerdict, RuledCaching, RuleVerdict } from './rule-verdict.ts';

/** What is the same for all verdicts of a context. */
export interface VerdictEnvironment {
  /** Of the user, in front of those of rules. */
  readonly userLimit: RateLimit | null;
  readonly blockedMessage: string;
  /** null: there is no entry for this flag. */
  fastRoute(flag: number): number | null;
}

/** Patterns that look at texts may lead to more combinations than anybody wants to keep. */
const MAX_NODES = 10_000;

export class VerdictTree {
  readonly environment: VerdictEnvironment;
  readonly root: VerdictNode;
  #nodes = 1;

  constructor(environment: VerdictEnvironment, flagIn: number) {
    this.environment = environment;
    this.root = new VerdictNode(this, [], flagIn);
  }

  /** Whether another node is kept. */
  admitsNode(): boolean {
    return this.#nodes < MAX_NODES && ++this.#nodes > 0;
  }
}

export class VerdictNode {
  readonly edges: readonly RuleEdge[];
  /** That rules are looked for with now. */
  readonly flag: number;
  readonly #tree: VerdictTree;
  #next: Map<RuleEdge, VerdictNode> | null = null;
  readonly #verdicts = new Map<FirewallVerdict, RuleVerdict>();

  constructor(tree: VerdictTree, edges: readonly RuleEdge[], flag: number) {
    this.#tree = tree;
    this.edges = edges;
    this.flag = flag;
  }

  after(edge: RuleEdge): VerdictNode {
    const known = this.#next?.get(edge);
    if (known !== undefined) return known;
    const node = new VerdictNode(this.#tree, [...this.edges, edge], edge.flagOut ?? this.flag);
    if (this.#tree.admitsNode()) {
      this.#next ??= new Map();
      this.#next.set(edge, node);
    }
    return node;
  }

  verdict(firewall: FirewallVerdict): RuleVerdict {
    let verdict = this.#verdicts.get(firewall);
    if (verdict === undefined) {
      verdict = Object.freeze(verdictOf(this.edges, this.flag, firewall, this.#tree.environment));
      this.#verdicts.set(firewall, verdict);
    }
    return verdict;
  }
}

function verdictOf(
  edges: readonly RuleEdge[],
  flag: number,
  firewall: FirewallVerdict,
  { userLimit, blockedMessage, fastRoute }: VerdictEnvironment,
): RuleVerdict {
  const rules = edges.map(({ rule }) => rule.rule);
  const last = <T>(read: (rule: QueryRule) => T | null): T | null =>
    rules.map(read).findLast((value) => value !== null) ?? null;
  const limits = edges.map(({ rule }) => rule.rateLimit);
  const fast = rules.at(-1)?.apply === true ? null : fastRoute(flag);
  return {
    rules,
    hitSlots: edges.map(({ rule }) => rule.slot),
    destinationHostgroup: fast ?? last((rule) => rule.destinationHostgroup),
    timeoutMs: last((rule) => rule.timeoutMs),
    retries: last((rule) => rule.retries),
    reconnect: last((rule) => rule.reconnect),
    delayMs: last((rule) => rule.delayMs) ?? 0,
    multiplex: last((rule) => rule.multiplex),
    errorMessage: last((rule) => rule.errorMsg) ?? (firewall === 'blocked' ? blockedMessage : null),
    okMessage: last((rule) => rule.okMsg),
    mirrorHostgroup: last((rule) => rule.mirrorHostgroup),
    mirrorFlagOut: last((rule) => rule.mirrorFlagOut),
    log: last((rule) => rule.log),
    nextFlagIn: last((rule) => rule.nextQueryFlagIn),
    stickyConn: last((rule) => rule.stickyConn),
    caching: ruledCaching(edges),
    cacheEmptyResult: last((rule) => rule.cacheEmptyResult),
    cacheTimeoutMs: last((rule) => rule.cacheTimeoutMs),
    causalReads: edges.map(({ rule }) => rule.causalReads).findLast((level) => level !== null) ?? null,
    replaces: rules.filter(({ replacePattern }) => replacePattern !== null),
    rateLimits: [userLimit, ...limits].filter((limit) => limit !== null),
    firewall,
  };
}

function ruledCaching(edges: readonly RuleEdge[]): RuledCaching | null {
  const rule = edges.findLast((edge) => edge.rule.caching !== null)?.rule;
  if (rule === undefined || rule.caching === null) return null;
  return { ...rule.caching, ruleId: rule.rule.ruleId, isProxysql: rule.isProxysqlCaching };
}
