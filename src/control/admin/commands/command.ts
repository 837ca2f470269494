/** The shape of an admin command. One command is one file beside this one; `all-commands.ts` lists them. */

import { ColumnType, type TextValue } from '../../../../protocol/index.ts';
import type { AdminState } from '../admin-state.ts';
import type { AdminStatement } from '../admin-statement.ts';

/** Who may run a command: `stats` users only what shows numbers, `admin` users everything. */
export const AdminRole = { stats: 'stats', admin: 'admin' } as const;
export type AdminRole = (typeof AdminRole)[keyof typeof AdminRole];

export interface CommandColumn {
  readonly name: string;
  /** For README: a phrase, with the unit. */
  readonly meaning: string;
  /** A text unless told; `number` is an integer, `real` has a fraction. */
  readonly type?: 'text' | 'number' | 'real';
}

/** What SHOW WARNINGS tells of a statement. */
export interface Condition {
  readonly level: 'Note' | 'Warning' | 'Error';
  /** MySQL's number. */
  readonly code: number;
  readonly message: string;
}

/** A sentence alone is a warning without a number of its own. */
export type CommandWarning = string | Condition;

/** The session that a command runs in, as it was when the command came. */
export interface CommandSession {
  readonly connectionId: number;
  readonly username: string;
  readonly role: AdminRole;
  /** The client's address. */
  readonly host: string;
  /** As USE, or the login, named it; null before. */
  readonly schema: string | null;
  /** Of its connection, if that is encrypted, e.g. `TLSv1.3`. */
  readonly tls?: { readonly protocol: string; readonly cipher: string } | null;
  /** What the command before has warned of, or how it failed. */
  readonly conditions: readonly Condition[];
}

export interface CommandCall {
  /** What `pattern` found in the normal form. */
  readonly match: RegExpExecArray;
  readonly statement: AdminStatement;
  readonly session: CommandSession;
  readonly state: AdminState;
  /** Of Sluice, e.g. `0.1.0`. */
  readonly version: string;
  readonly commands: readonly AdminCommand[];
  /** For the statement's `?`, in their order; empty unless it was prepared. */
  readonly parameters: readonly ParameterValue[];
}

/** What a client has sent for a `?`. */
export type ParameterValue = string | number | bigint | null;

export type CommandAnswer =
  | {
      readonly kind: 'rows';
      readonly columns: readonly Pick<CommandColumn, 'name' | 'type'>[];
      /** Gone through once, a slice per turn of the event loop. */
      readonly rows: Iterable<readonly TextValue[]>;
      /** For SHOW WARNINGS; the client is told how many there are. */
      readonly warnings?: readonly CommandWarning[];
      /** The warnings of the command before are kept. */
      readonly keepsWarnings?: boolean;
    }
  | {
      readonly kind: 'ok';
      readonly affectedRows?: number;
      /** Of the row that was inserted last; for tools that number rows so. */
      readonly lastInsertId?: number | bigint;
      /** Shown by clients. */
      readonly info?: string;
      readonly warnings?: readonly CommandWarning[];
      /** The session is in this schema from now on. */
      readonly schema?: string;
    };

export interface AdminCommand {
  /** The words that it begins with, in capitals. */
  readonly name: string;
  /** With its arguments, for HELP and for the error when they are wrong. */
  readonly syntax: string;
  /** One line for HELP. */
  readonly help: string;
  /** Over the normal form of a statement; anchored, and linear in time whatever the client sends. */
  readonly pattern: RegExp;
  /** What follows the matched words may be anything, however long, so it also matches a statement cut short. */
  readonly takesAnyRest?: boolean;
  /** A `?` in it stands for a value that comes with the execution of a prepared statement. */
  readonly takesParameters?: boolean;
  /** The least that is needed to run it. */
  readonly access: AdminRole;
  /** Changes something beyond its own session, and is therefore logged. */
  readonly changes: boolean;
  /** Instead of the limit for all commands. */
  readonly timeoutMs?: number;
  /** Of its result; empty where it answers with OK, or where the statement itself names them. */
  readonly columns: readonly CommandColumn[];
  /** @throws AdminError for what the client did wrong */
  execute(call: CommandCall): CommandAnswer | Promise<CommandAnswer>;
}

/** The value of each column in one row, by the columns' order. */
export function table<Item>(
  items: readonly Item[],
  columns: readonly ComputedColumn<Item>[],
): CommandAnswer & { readonly kind: 'rows'; readonly rows: readonly (readonly TextValue[])[] } {
  return { kind: 'rows', columns, rows: items.map((item) => columns.map(({ value }) => value(item))) };
}

export interface ComputedColumn<Item> extends CommandColumn {
  readonly value: (item: Item) => TextValue;
}

export function columnTypeOf({ type }: Pick<CommandColumn, 'type'>): number {
  if (type === 'number') return ColumnType.MYSQL_TYPE_LONGLONG;
  return type === 'real' ? ColumnType.MYSQL_TYPE_DOUBLE : ColumnType.MYSQL_TYPE_VAR_STRING;
}
