/** What a plan's statements are counted as; found out once for each plan. */

import { StatementCounter } from '../common/shared-statistics.ts';
import { COMMAND_NAMES, commandName, type SpecialName, specialName } from './command-counter.ts';
import type { StatementClass } from './statement-class.ts';

export interface CountedAs {
  /** Of the command, in `COMMAND_NAMES`. */
  readonly place: number;
  /** Counted besides. */
  readonly special: StatementCounter | null;
}

const SPECIAL_COUNTERS: Readonly<Record<SpecialName, StatementCounter>> = {
  autocommit: StatementCounter.setAutocommit,
  'set-names': StatementCounter.setNames,
};

export function countedAs(statement: StatementClass, normalized: Buffer): CountedAs {
  const special = specialName(statement, normalized);
  return {
    place: COMMAND_NAMES.indexOf(commandName(statement, normalized)),
    special: special === null ? null : SPECIAL_COUNTERS[special],
  };
}
