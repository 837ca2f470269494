/** What is wrong with rows of the configuration's tables, by table, key and column. */

export interface RowProblem {
  readonly table: string;
  /** The columns that name the row, with their values: `rule_id 7`; '' for the table as a whole. */
  readonly key: string;
  /** '' where it is the row as a whole. */
  readonly column: string;
  /** A sentence without a full stop; never holds a secret. */
  readonly message: string;
}

/** More than anybody reads at once. */
const SHOWN = 5;
const MAX_KEY = 120;
const MAX_MESSAGE = 300;

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

export function formatRowProblem({ table, key, column, message }: RowProblem): string {
  const row = key === '' ? table : `${table} (${cut(key, MAX_KEY)})`;
  return `${row}${column === '' ? '' : `, column ${column}`}: ${cut(message, MAX_MESSAGE)}`;
}

/** All that is wrong at once; nothing has changed. */
export class RowError extends Error {
  readonly problems: readonly RowProblem[];

  constructor(problems: readonly RowProblem[]) {
    const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : '';
    super(`${problems.slice(0, SHOWN).map(formatRowProblem).join('; ')}${more}`);
    this.name = 'RowError';
    this.problems = problems;
  }
}
