import { type AdminCommand, AdminRole } from './command.ts';
import { asAdminErrors, originOf } from './runtime-words.ts';

export const rollbackRuntime: AdminCommand = {
  name: 'ROLLBACK RUNTIME',
  syntax: 'ROLLBACK RUNTIME [TO <version>]',
  help: 'An earlier configuration comes into force again, the one before if none is named; MEMORY stays',
  pattern: /^ROLLBACK RUNTIME(?: TO (\d{1,9}))?$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: (call) =>
    asAdminErrors(async () => {
      const [, wanted] = call.match;
      const number = wanted === undefined ? null : Number(wanted);
      const { version, warnings } = await call.state.runtime.rollback(number, originOf(call));
      const info = `version ${version.number} is in force, with what version ${version.source} was`;
      return { kind: 'ok', info, warnings };
    }),
};
