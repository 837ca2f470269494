/** Modules and layers as commands write them, and what goes wrong between the layers as an admin error. */

import { ConfigError } from '../../../../config/config-error.ts';
import { nearestName } from '../../../../config/nearest-name.ts';
import { AdminModule } from '../../../common/admin-tables/admin-table.ts';
import { maskSecrets } from '../../logs/mask-secrets.ts';
import { RowError } from '../../runtime/row-error.ts';
import type { ChangeOrigin } from '../../runtime/runtime-control.ts';
import { StoreError } from '../../store/store-error.ts';
import { AdminError, quoted } from '../admin-error.ts';
import type { CommandAnswer, CommandCall } from './command.ts';

export const Layer = {
  memory: 'MEMORY',
  runtime: 'RUNTIME',
  disk: 'DISK',
  config: 'CONFIG',
  shadow: 'SHADOW',
} as const;
export type Layer = (typeof Layer)[keyof typeof Layer];

const LAYER_WORDS: ReadonlyMap<string, Layer> = new Map<string, Layer>([
  ['MEMORY', Layer.memory],
  ['MEM', Layer.memory],
  ['RUNTIME', Layer.runtime],
  ['RUN', Layer.runtime],
  ['DISK', Layer.disk],
  ['CONFIG', Layer.config],
  ['SHADOW', Layer.shadow],
]);

/** Of ProxySQL, about things that Sluice does not have. */
const FOREIGN_MODULES: ReadonlySet<string> = new Set([
  'LDAP VARIABLES',
  'SQLITESERVER VARIABLES',
  'CLICKHOUSE VARIABLES',
  'CLICKHOUSE USERS',
  'PGSQL SERVERS',
  'PGSQL USERS',
  'PGSQL QUERY RULES',
  'PGSQL VARIABLES',
  'PGSQL FIREWALL',
  'DEBUG',
  'COREDUMP',
]);

const MODULES: ReadonlyMap<string, AdminModule> = new Map(
  Object.values(AdminModule).map((module) => [module, module]),
);
export const MODULE_NAMES: readonly string[] = [...MODULES.keys()];

/** Null for one that ProxySQL has and Sluice has not. @throws AdminError for any other word */
export function moduleOf(words: string): AdminModule | null {
  const name = words.toUpperCase();
  const module = MODULES.get(name);
  if (module !== undefined) return module;
  if (FOREIGN_MODULES.has(name)) return null;
  const nearest = nearestName(name, MODULE_NAMES);
  const hint = nearest === null ? `there are ${MODULE_NAMES.join(', ')}` : `did you mean ${nearest}?`;
  throw new AdminError('syntax', `${quoted(words)} is nothing that can be loaded or saved; ${hint}`);
}

/** @throws AdminError */
export function layerOf(word: string): Layer {
  const layer = LAYER_WORDS.get(word.toUpperCase());
  if (layer !== undefined) return layer;
  const nearest = nearestName(word.toUpperCase(), [...LAYER_WORDS.keys()]);
  const hint = nearest === null ? 'expected MEMORY, RUNTIME, DISK or CONFIG' : `did you mean ${nearest}?`;
  throw new AdminError('syntax', `${quoted(word)} is no layer; ${hint}`);
}

export function foreignModule(words: string): CommandAnswer {
  return { kind: 'ok', warnings: [`${words.toUpperCase()} has no effect: Sluice has nothing like it`] };
}

export function originOf({ session, statement }: CommandCall): ChangeOrigin {
  const { username, host } = session;
  return { by: `'${username}'@'${host}'`, what: maskSecrets(statement.text).text };
}

/** What an operator can do something about becomes a sentence for him. */
export async function asAdminErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RowError || error instanceof RangeError)
      throw new AdminError('wrongArgument', error.message);
    if (error instanceof ConfigError)
      throw new AdminError('wrongArgument', error.message.replaceAll('\n', '; '));
    if (error instanceof StoreError)
      throw new AdminError(error.kind === 'timeout' ? 'timeout' : 'wrongArgument', error.message);
    // Files of certificates or logs that cannot be read or written.
    if (error instanceof Error && /TlsMaterialError|LogTargetError/.test(error.name))
      throw new AdminError('wrongArgument', error.message);
    throw error;
  }
}
