/** The schemas of the admin port under ProxySQL's names, in its order. */

export const ADMIN_SCHEMAS = ['main', 'disk', 'stats', 'monitor', 'stats_history'] as const;

/** Where a session is before it says USE. */
export const DEFAULT_ADMIN_SCHEMA = ADMIN_SCHEMAS[0];

export function isAdminSchema(name: string): boolean {
  return ADMIN_SCHEMAS.some((schema) => schema === name.toLowerCase());
}
