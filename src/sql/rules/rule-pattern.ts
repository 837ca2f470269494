/**
 * The regular expressions of query rules. RE2's language: what it leaves out (looking around, back-references) is what
 * makes other engines take time without bound; here the time is proportional to the length of the text, whatever the
 * pattern and whoever wrote the text.
 */

import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';
import { requiredLiteral } from './required-literal.ts';
import type { RuleText } from './rule-text.ts';

type Engine = typeof import('re2js');

const require = createRequire(import.meta.url);
let engine: Engine | null = null;

/** Loaded with the first pattern: half a megabyte in each thread, and most processes have no rules. */
function re2(): Engine {
  engine ??= require('re2js') as Engine;
  return engine;
}

export interface Modifiers {
  readonly caseless: boolean;
  /** A replacement is made for all matches, not only for the first one. */
  readonly global: boolean;
}

/** Read from `re_modifiers`; what is not known is named in the second value. */
export function parseModifiers(text: string): { modifiers: Modifiers; unknown: string | null } {
  const words = text
    .split(',')
    .map((word) => word.trim().toUpperCase())
    .filter((word) => word !== '');
  const unknown = words.find((word) => word !== 'CASELESS' && word !== 'GLOBAL') ?? null;
  return { modifiers: { caseless: words.includes('CASELESS'), global: words.includes('GLOBAL') }, unknown };
}

/** Verdicts on patterns: those of five thousand rules are compiled once, not at each LOAD. */
const MAX_KNOWN = 20_000;
const known = new Map<string, string | null>();

/** Why RE2 does not take it; null if it does. */
export function patternProblem(source: string, caseless: boolean): string | null {
  const key = `${caseless ? 'i' : ' '}${source}`;
  let problem = known.get(key);
  if (problem === undefined) {
    problem = compileProblem(source, caseless);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, problem);
  }
  return problem;
}

function compileProblem(source: string, caseless: boolean): string | null {
  const { RE2JS, RE2Set } = re2();
  try {
    // A set reads its patterns without making programs of them, in half the time.
    new RE2Set(RE2Set.UNANCHORED, caseless ? RE2JS.CASE_INSENSITIVE : 0).add(source);
    return null;
  } catch (error) {
    const reason = (error as Error).message.replace(/^error parsing regexp: /, '');
    return LACKING.test(reason)
      ? `${reason}; RE2 has no look-around, back-references or possessive forms`
      : reason;
  }
}

const LACKING = /\(\?[=!<>]|invalid escape sequence: `\\[1-9k]|nested repetition operator: `.\+/;

function compile(source: string, caseless: boolean): RE2JS {
  const { RE2JS } = re2();
  return RE2JS.compile(source, caseless ? RE2JS.CASE_INSENSITIVE : 0);
}

/** Number of groups of a pattern that compiles. */
export function groupCount(source: string): number {
  return compile(source, false).groupCount();
}

/** Compiled at the first text that has its words. */
export class RulePattern {
  readonly #source: string;
  readonly #caseless: boolean;
  readonly #literal: string | null;
  #regex: RE2JS | null = null;

  constructor(source: string, caseless: boolean) {
    this.#source = source;
    this.#caseless = caseless;
    this.#literal = requiredLiteral(source);
  }

  test(text: RuleText): boolean {
    if (this.#literal !== null && !text.mayContain(this.#literal)) return false;
    return this.regex.test(text.value);
  }

  /** Now, and not at the first text. */
  compile(): void {
    void this.regex;
  }

  get regex(): RE2JS {
    this.#regex ??= compile(this.#source, this.#caseless);
    return this.#regex;
  }

  /** What a text must contain for it to be tried; null: every text is tried. */
  get literal(): string | null {
    return this.#literal;
  }

  /** Bytes of its automaton, which grows with the texts that it sees. */
  get automatonBytes(): number {
    const automaton = this.#regex?.re2().lazyDFA ?? null;
    return automaton === null ? 0 : automaton.stateBudget - automaton.memBudget;
  }

  /** Memory is given back; the next texts build it again, state by state. */
  forgetAutomaton(): void {
    const compiled: { lazyDFA: object | null } | null = this.#regex?.re2() ?? null;
    if (compiled !== null) compiled.lazyDFA = null;
  }
}
