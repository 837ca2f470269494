/** The schemas of the admin port under ProxySQL's names, in its order. */

import { AdminRole, type CommandSession } from './commands/command.ts';

const ADMIN_SCHEMAS = ['main', 'disk', 'stats', 'monitor', 'stats_history'] as const;
type AdminSchemaName = (typeof ADMIN_SCHEMAS)[number];

/** Where sessions are before they say USE. */
const DEFAULT_SCHEMA: Readonly<Record<AdminRole, AdminSchemaName>> = {
  [AdminRole.admin]: 'main',
  [AdminRole.stats]: 'stats',
};

export function isAdminSchema(name: string): boolean {
  return ADMIN_SCHEMAS.some((schema) => schema === name.toLowerCase());
}

/** As the session names it: it may be one of the servers', for EXPLAIN ROUTE. */
export function schemaOf({ schema, role }: Pick<CommandSession, 'schema' | 'role'>): string {
  return schema ?? DEFAULT_SCHEMA[role];
}

/** The schemas that SQL of this user reaches. */
export function visibleSchemas(role: AdminRole): readonly AdminSchemaName[] {
  return role === AdminRole.admin
    ? ADMIN_SCHEMAS
    : ADMIN_SCHEMAS.filter((schema) => schema !== 'main' && schema !== 'disk');
}
