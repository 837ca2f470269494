import { charsetNames, collationOf, defaultCollationIdOf } from '../../../../protocol/index.ts';
import { type AdminCommand, AdminRole, type CommandColumn } from './command.ts';
import { filtered, wordsBeforeFilter } from './show-filter.ts';

const MOST_COLLATION_ID = 4096;

const CHARSET_COLUMNS: readonly CommandColumn[] = [
  { name: 'Charset', meaning: 'Name' },
  { name: 'Description', meaning: 'Its name again' },
  { name: 'Default collation', meaning: 'Used where only the character set is named' },
  { name: 'Maxlen', type: 'number', meaning: 'Most bytes of a character' },
];

const COLLATION_COLUMNS: readonly CommandColumn[] = [
  { name: 'Collation', meaning: 'Name' },
  { name: 'Charset', meaning: 'Of this character set' },
  { name: 'Id', type: 'number', meaning: 'Its number in the protocol' },
  { name: 'Default', meaning: '`Yes` for the one that its character set uses' },
  { name: 'Compiled', meaning: 'Always `Yes`' },
  { name: 'Sortlen', type: 'number', meaning: 'Always 1' },
];

type Collation = NonNullable<ReturnType<typeof collationOf>> & { readonly id: number };

function collations(): Collation[] {
  return Array.from({ length: MOST_COLLATION_ID }, (_, id) => ({ id, collation: collationOf(id) })).flatMap(
    ({ id, collation }) => (collation === null ? [] : [{ ...collation, id }]),
  );
}

export const showCharset: AdminCommand = {
  name: 'SHOW CHARSET',
  syntax: "SHOW {CHARSET | CHARACTER SET} [LIKE 'pattern' | WHERE …]",
  help: 'The character sets that clients may know; the admin port itself speaks utf8mb4',
  pattern: /^SHOW (?:CHARSET|CHARACTER SET)(?: (?:LIKE|WHERE) .*)?$/is,
  access: AdminRole.stats,
  changes: false,
  columns: CHARSET_COLUMNS,
  execute: (call) => {
    const rows = charsetNames().map((charset) => {
      const id = defaultCollationIdOf(charset);
      const collation = id === null ? null : collationOf(id);
      return [charset, charset, collation?.collation ?? '', collation?.maxBytesPerCharacter ?? 1];
    });
    return filtered(call, wordsBeforeFilter(call), CHARSET_COLUMNS, rows);
  },
};

export const showCollation: AdminCommand = {
  name: 'SHOW COLLATION',
  syntax: "SHOW COLLATION [LIKE 'pattern' | WHERE …]",
  help: 'The collations that clients may know',
  pattern: /^SHOW COLLATION(?: (?:LIKE|WHERE) .*)?$/is,
  access: AdminRole.stats,
  changes: false,
  columns: COLLATION_COLUMNS,
  execute: (call) => {
    const rows = collations().map(({ collation: name, charset, id }) => {
      const isDefault = defaultCollationIdOf(charset) === id;
      return [name, charset, id, isDefault ? 'Yes' : '', 'Yes', 1];
    });
    return filtered(call, wordsBeforeFilter(call), COLLATION_COLUMNS, rows);
  },
};
