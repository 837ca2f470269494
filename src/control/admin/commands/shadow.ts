/** Query rules that are counted on live traffic without being applied: into force, or away. SHOW SHADOW shows them. */

import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole } from './command.ts';
import { asAdminErrors, originOf } from './runtime-words.ts';

const ACTION = { access: AdminRole.admin, changes: true, columns: [] } as const;

export const promoteShadow: AdminCommand = {
  ...ACTION,
  name: 'PROMOTE SHADOW',
  syntax: 'PROMOTE SHADOW',
  help: 'The query rules of LOAD … TO SHADOW come into force instead of those that are; MEMORY stays',
  pattern: /^PROMOTE SHADOW$/i,
  execute: (call) =>
    asAdminErrors(async () => {
      const { version, warnings } = await call.state.runtime.promoteShadow(originOf(call));
      return { kind: 'ok', info: `version ${version.number} is in force`, warnings };
    }),
};

export const dropShadow: AdminCommand = {
  ...ACTION,
  name: 'DROP SHADOW',
  syntax: 'DROP SHADOW',
  help: 'Query rules of LOAD … TO SHADOW are counted no longer',
  pattern: /^DROP SHADOW$/i,
  execute: ({ state }) =>
    asAdminErrors(async () => {
      if (!(await state.runtime.dropShadow()))
        throw new AdminError('wrongArgument', 'There are no shadow rules: LOAD MYSQL QUERY RULES TO SHADOW');
      return { kind: 'ok' };
    }),
};
