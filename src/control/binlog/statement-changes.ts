/** What a statement in the binlog may have changed: the same classification as for statements of clients. */

import { collationOf, type QueryEvent } from '../../../protocol/index.ts';
import { tableSlot } from '../../common/table-slots.ts';
import { classify } from '../../sql/classify.ts';
import { type LexicalContext, makeLexicalContext } from '../../sql/lexical-context.ts';
import { type StatementClass, StatementKind } from '../../sql/statement-class.ts';

export interface StatementChanges {
  /** Without what triggers, cascades and views add; null: any table. */
  readonly slots: readonly number[] | null;
  /** Views, or which tables belong together, may be others. */
  readonly changesCatalog: boolean;
  /** Columns or keys of tables may be others. */
  readonly changesDefinitions: boolean;
}

const EVERYTHING_CHANGED: StatementChanges = Object.freeze({
  slots: null,
  changesCatalog: true,
  changesDefinitions: true,
});

/** Of `sql_mode` the bits that change how a text is cut into tokens. */
const LEXICAL_MODES: readonly (readonly [bigint, string])[] = [
  [1n << 2n, 'ANSI_QUOTES'],
  [1n << 3n, 'IGNORE_SPACE'],
  [1n << 20n, 'NO_BACKSLASH_ESCAPES'],
];
/** Who may read what is part of every answer. */
const CHANGES_ACCOUNTS = /^(?:GRANT|REVOKE)(?:_|$)|_(?:USER|ROLE)$|^SET_PASSWORD$|^SET_DEFAULT_ROLE$|^FLUSH$/;

export interface StatementServer {
  readonly flavor: 'mysql' | 'mariadb';
  readonly versionId: number;
}

/** @param query null: a statement that is not known as a whole. */
export function statementChanges(query: QueryEvent | null, server: StatementServer): StatementChanges {
  if (query === null) return EVERYTHING_CHANGED;
  const context = lexicalContextOf(query, server);
  if (context === null) return EVERYTHING_CHANGED;
  return changesOf(classify(query.query, 0, query.query.length, context), query.schema);
}

function changesOf(statement: StatementClass, schema: string): StatementChanges {
  const { writes, kind, command, changesViews, changesRelations } = statement;
  if (writes === null || (kind === StatementKind.ddl && CHANGES_ACCOUNTS.test(command)))
    return EVERYTHING_CHANGED;
  const slots = writes.map((table) => tableSlot(table.schema ?? schema, table.table));
  const changesCatalog = changesViews || changesRelations;
  const isDefinition = kind === StatementKind.ddl && !command.startsWith('TRUNCATE');
  return { slots, changesCatalog, changesDefinitions: changesCatalog || isDefinition };
}

/** null where the event does not say how its bytes are to be read. */
function lexicalContextOf({ status }: QueryEvent, server: StatementServer): LexicalContext | null {
  const { sqlMode, clientCollationId } = status;
  if (sqlMode === null || clientCollationId === null) return null;
  const collation = collationOf(clientCollationId);
  if (collation === null) return null;
  const modes = LEXICAL_MODES.filter(([bit]) => (sqlMode & bit) !== 0n).map(([, name]) => name);
  return makeLexicalContext({ charset: collation.charset, sqlMode: modes.join(','), ...server });
}
