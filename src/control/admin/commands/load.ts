import { AdminModule } from '../../../common/admin-tables/admin-table.ts';
import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole, type CommandAnswer, type CommandCall } from './command.ts';
import {
  asAdminErrors,
  foreignModule,
  Layer,
  layerOf,
  MODULE_NAMES,
  moduleOf,
  originOf,
} from './runtime-words.ts';

async function toRuntime(call: CommandCall, module: AdminModule): Promise<CommandAnswer> {
  const { version, warnings } = await call.state.runtime.loadToRuntime([module], originOf(call));
  return { kind: 'ok', info: `version ${version.number} is in force`, warnings };
}

async function toShadow({ state }: CommandCall, module: AdminModule): Promise<CommandAnswer> {
  if (module !== AdminModule.queryRules)
    throw new AdminError('syntax', `${module} cannot be loaded to SHADOW, only ${AdminModule.queryRules}`);
  const { rules, warnings } = await state.runtime.loadToShadow();
  return { kind: 'ok', affectedRows: rules, info: 'SHOW SHADOW tells what they would change', warnings };
}

/** `LOAD … TO RUNTIME` and `LOAD … FROM MEMORY` are the same. */
function run(call: CommandCall): Promise<CommandAnswer> {
  const [, words = '', direction = '', layerWord = ''] = call.match;
  const module = moduleOf(words);
  const way = `${direction.toUpperCase()} ${layerOf(layerWord)}`;
  if (module === null) return Promise.resolve(foreignModule(words));
  const ok = (work: Promise<void>) => work.then((): CommandAnswer => ({ kind: 'ok' }));
  switch (way) {
    case `TO ${Layer.runtime}`:
    case `FROM ${Layer.memory}`:
      return toRuntime(call, module);
    case `TO ${Layer.memory}`:
    case `FROM ${Layer.disk}`:
      return ok(call.state.runtime.loadFromDisk([module]));
    case `FROM ${Layer.config}`:
      return ok(call.state.runtime.loadFromFile([module]));
    case `TO ${Layer.shadow}`:
      return toShadow(call, module);
    default:
      throw new AdminError(
        'syntax',
        `There is no LOAD ${module} ${way}: LOAD … TO RUNTIME, TO MEMORY (from DISK), FROM CONFIG, TO SHADOW`,
      );
  }
}

export const load: AdminCommand = {
  name: 'LOAD',
  syntax: `LOAD {${MODULE_NAMES.join(' | ')}} {TO RUNTIME | FROM MEMORY | TO MEMORY | FROM DISK | FROM CONFIG | TO SHADOW}`,
  help: 'TO RUNTIME: what is in MEMORY comes into force, all of it or nothing; TO MEMORY: from DISK; FROM CONFIG: the file to MEMORY; TO SHADOW: query rules are counted, not applied',
  pattern: /^LOAD (?!MYSQL USERS FROM BACKEND$|MYSQL USER )(\w+(?: \w+){0,3}) (TO|FROM) (\w+)$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: (call) => asAdminErrors(async () => run(call)),
};
