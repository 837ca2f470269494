/** What clients ask when they connect, before anybody has typed anything. */

import type { TextValue } from '../../../../protocol/index.ts';
import { TokenKind } from '../../../sql/lexer.ts';
import { schemaOf } from '../admin-schemas.ts';
import { type AdminStatement, type AdminToken, splitAtCommas, unquote } from '../admin-statement.ts';
import { clientVariable } from '../client-variables.ts';
import { COMPATIBLE_VERSION } from '../compatible-version.ts';
import type { CommandAnswer, CommandCall } from './command.ts';

type Literal = (call: CommandCall) => TextValue;

const version: Literal = (call) => `${COMPATIBLE_VERSION}-sluice-${call.version}`;
const database: Literal = ({ session }) => schemaOf(session);
const user: Literal = ({ session }) => `${session.username}@${session.host}`;

/** By their text in small letters without blanks. */
const LITERALS: ReadonlyMap<string, Literal> = new Map<string, Literal>([
  ['version()', version],
  ['database()', database],
  ['schema()', database],
  ['user()', user],
  ['current_user()', user],
  ['current_user', user],
  ['session_user()', user],
  ['system_user()', user],
  ['connection_id()', ({ session }) => session.connectionId],
  ['current_role()', () => null],
  ['timediff(now(),utc_timestamp())', () => '00:00:00'],
]);

const VARIABLE = /^@@(?:(?:session|global|local)\.)?(\w+)$/;

interface SelectItem {
  readonly name: string;
  readonly value: TextValue;
}

function literalOf(tokens: readonly AdminToken[], call: CommandCall): TextValue | undefined {
  const only = tokens.length === 1 ? tokens[0] : undefined;
  if (only?.kind === TokenKind.string) return unquote(only.text);
  if (only?.kind === TokenKind.number) return /^\d{1,15}$/.test(only.text) ? Number(only.text) : undefined;
  if (only?.text.toLowerCase() === 'null') return null;
  const expression = tokens.map(({ text }) => text.toLowerCase().replaceAll('`', '')).join('');
  // `@@version v` is the variable and an alias.
  const isOneWord = tokens.slice(1).every(({ gap }) => !gap);
  const variable = isOneWord ? VARIABLE.exec(expression)?.[1] : undefined;
  return variable === undefined ? LITERALS.get(expression)?.(call) : clientVariable(variable, call);
}

/** As MySQL names a column without an alias; but `version()` is looked for under this name. */
function nameOf(tokens: readonly AdminToken[], source: Buffer): string {
  const text = source.toString('utf8', tokens[0]!.start, tokens.at(-1)!.end);
  if (tokens.length === 1 && tokens[0]!.kind === TokenKind.string) return unquote(text);
  return /^version\s*\(\s*\)$/i.test(text) ? 'version()' : text;
}

function itemOf(tokens: readonly AdminToken[], call: CommandCall): SelectItem | null {
  if (tokens.length === 0) return null;
  const whole = literalOf(tokens, call);
  if (whole !== undefined) return { name: nameOf(tokens, call.statement.source), value: whole };
  const named = tokens.at(-2)?.text.toUpperCase() === 'AS' ? tokens.slice(0, -2) : tokens.slice(0, -1);
  const value = named.length === 0 ? undefined : literalOf(named, call);
  return value === undefined ? null : { name: unquote(tokens.at(-1)!.text), value };
}

/** The tokens between SELECT and LIMIT. */
function listOf({ tokens }: AdminStatement): readonly AdminToken[] {
  const hasLimit = tokens.at(-2)?.text.toUpperCase() === 'LIMIT' && /^[1-9]\d*$/.test(tokens.at(-1)!.text);
  return tokens.slice(1, hasLimit ? -2 : undefined);
}

/** @returns null for a SELECT of anything else */
export function answerLiterals(call: CommandCall): CommandAnswer | null {
  if (call.parameters.length > 0 || !call.statement.isWhole) return null;
  const items: SelectItem[] = [];
  for (const tokens of splitAtCommas(listOf(call.statement))) {
    const item = itemOf(tokens, call);
    if (item === null) return null;
    items.push(item);
  }
  const columns = items.map(({ name, value }) => ({
    name,
    type: typeof value === 'number' ? ('number' as const) : ('text' as const),
  }));
  return { kind: 'rows', columns, rows: [items.map(({ value }) => value)] };
}
