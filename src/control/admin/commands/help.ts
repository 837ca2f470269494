import { unquote } from '../admin-statement.ts';
import {
  type AdminCommand,
  AdminRole,
  type CommandAnswer,
  type CommandColumn,
  type ComputedColumn,
  table,
} from './command.ts';

const COLUMNS: readonly ComputedColumn<AdminCommand>[] = [
  { name: 'command', meaning: 'How it is written', value: ({ syntax }) => syntax },
  { name: 'description', meaning: 'What it does', value: ({ help }) => help },
];

/** What a server answers to HELP for one topic, and for several: the stock client lays it out. */
const TOPIC: readonly CommandColumn[] = [
  { name: 'name', meaning: 'Command' },
  { name: 'description', meaning: 'What it does' },
  { name: 'example', meaning: 'How it is written' },
];
const TOPICS: readonly CommandColumn[] = [
  { name: 'name', meaning: 'Command' },
  { name: 'is_it_category', meaning: '`N`' },
];

function helpOn(topic: string, commands: readonly AdminCommand[]): CommandAnswer {
  const wanted = topic.trim().replace(/\s+/g, ' ').toUpperCase();
  const exact = commands.filter(({ name }) => name === wanted);
  const found = exact.length > 0 ? exact : commands.filter(({ name }) => name.startsWith(wanted));
  const only = found.length === 1 ? found[0] : undefined;
  if (only !== undefined) {
    const description = `${only.syntax}\n\n${only.help}${columnsText(only)}`;
    return { kind: 'rows', columns: TOPIC, rows: [[only.name, description, '']] };
  }
  const listed = wanted === 'CONTENTS' || found.length === 0 ? commands : found;
  return { kind: 'rows', columns: TOPICS, rows: listed.map(({ name }) => [name, 'N']) };
}

function columnsText({ columns }: AdminCommand): string {
  if (columns.length === 0) return '';
  const width = Math.max(...columns.map(({ name }) => name.length));
  const lines = columns.map(({ name, meaning }) => `  ${name.padEnd(width)}  ${meaning.replaceAll('`', '')}`);
  return `\n\nColumns:\n${lines.join('\n')}`;
}

/** The stock client answers HELP by itself and sends only `help <topic>`: hence the second spelling. */
export const help: AdminCommand = {
  name: 'HELP',
  syntax: 'HELP [topic] | SHOW HELP',
  help: 'All commands with one line each, or all about one command',
  pattern: /^(?:SHOW HELP|HELP(?: (.+))?)$/is,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ match, commands }) =>
    match[1] === undefined ? table(commands, COLUMNS) : helpOn(unquote(match[1]), commands),
};
