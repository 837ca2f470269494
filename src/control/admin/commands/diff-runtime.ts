import type { RuntimeDifference } from '../../runtime/runtime-difference.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';
import { asAdminErrors } from './runtime-words.ts';

const COLUMNS: readonly ComputedColumn<RuntimeDifference>[] = [
  { name: 'table', meaning: 'Table of MEMORY', value: (difference) => difference.table },
  { name: 'key', meaning: 'The columns that name the row, with their values', value: ({ key }) => key },
  {
    name: 'column',
    meaning: 'The column that differs; empty where one of the two has no such row',
    value: ({ column }) => column,
  },
  { name: 'runtime', meaning: 'What is in force; secrets are masked', value: ({ runtime }) => runtime },
  { name: 'memory', meaning: 'What LOAD … TO RUNTIME would bring', value: ({ memory }) => memory },
];

export const diffRuntime: AdminCommand = {
  name: 'DIFF RUNTIME MEMORY',
  syntax: 'DIFF RUNTIME MEMORY',
  help: 'What MEMORY has other than RUNTIME: LOAD … TO RUNTIME applies it, SAVE … TO MEMORY takes it back',
  pattern: /^DIFF (?:RUNTIME (?:MEMORY|MEM)|RUN (?:MEMORY|MEM)|(?:MEMORY|MEM) (?:RUNTIME|RUN))$/i,
  access: AdminRole.admin,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => asAdminErrors(async () => table(await state.runtime.differences(), COLUMNS)),
};
