/** A statement with parameters, for either protocol. */

import type { Answer } from './answer-reader.ts';
import type { CheckerConnection, Parameter } from './checker-connection.ts';

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

/** The statement as text; parameters hold nothing that needs an escape. */
export function textOf({ sql, parameters }: Statement): string {
  let next = 0;
  return sql.replaceAll('?', () => {
    const value = parameters[next++];
    return typeof value === 'string' ? `'${value}'` : String(value);
  });
}

export function run(
  connection: CheckerConnection,
  statement: Statement,
  isPrepared: boolean,
): Promise<Answer> {
  return isPrepared
    ? connection.execute(statement.sql, statement.parameters)
    : connection.query(textOf(statement));
}
