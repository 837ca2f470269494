import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole, type CommandAnswer, type CommandCall } from './command.ts';
import { asAdminErrors, foreignModule, Layer, layerOf, MODULE_NAMES, moduleOf } from './runtime-words.ts';

/** `SAVE … TO DISK` and `SAVE … FROM MEMORY` are the same. */
async function run({ match, state }: CommandCall): Promise<CommandAnswer> {
  const [, words = '', direction = '', layerWord = ''] = match;
  const module = moduleOf(words);
  const way = `${direction.toUpperCase()} ${layerOf(layerWord)}`;
  if (module === null) return foreignModule(words);
  switch (way) {
    case `TO ${Layer.memory}`:
    case `FROM ${Layer.runtime}`:
      await state.runtime.saveToMemory([module]);
      return { kind: 'ok' };
    case `TO ${Layer.disk}`:
    case `FROM ${Layer.memory}`:
      await state.runtime.saveToDisk([module]);
      return { kind: 'ok' };
    default:
      throw new AdminError(
        'syntax',
        `There is no SAVE ${module} ${way}: SAVE … TO MEMORY (from RUNTIME), SAVE … TO DISK (from MEMORY)`,
      );
  }
}

export const save: AdminCommand = {
  name: 'SAVE',
  syntax: `SAVE {${MODULE_NAMES.join(' | ')}} {TO MEMORY | FROM RUNTIME | TO DISK | FROM MEMORY}`,
  help: 'TO MEMORY: what is in force becomes the tables of MEMORY; TO DISK: what is in MEMORY outlives a restart, in `dataDir`',
  pattern: /^SAVE (?!MYSQL DIGEST )(\w+(?: \w+){0,3}) (TO|FROM) (\w+)$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: (call) => asAdminErrors(() => run(call)),
};
