/** Which privileges ON *.* an account has, from what SHOW GRANTS says. Pure. */

const GRANT = /^GRANT (.+?) ON \*\.\* TO /i;

export function globalPrivileges(grants: readonly string[]): ReadonlySet<string> {
  const privileges = new Set<string>();
  for (const line of grants) {
    const list = GRANT.exec(line)?.[1];
    // Of a privilege on single columns there is none ON *.*.
    for (const name of list?.split(',') ?? []) privileges.add(name.trim().toUpperCase());
  }
  return privileges;
}

const SCHEMA_GRANT = /^GRANT (.+?) ON `((?:[^`]|``)+)`\.\* TO /i;

/** Whether a name as GRANT has it, with its wildcards, is this schema's. */
function coversSchema(pattern: string, schema: string): boolean {
  const source = pattern.replace(/\\([_%])|([_%])|([^\w\s])/g, (_, escaped, wildcard, other) => {
    if (escaped !== undefined) return escaped;
    if (wildcard !== undefined) return wildcard === '%' ? '.*' : '.';
    return `\\${other}`;
  });
  return new RegExp(`^${source}$`, 'i').test(schema);
}

/** Those ON *.* included. */
export function schemaPrivileges(grants: readonly string[], schema: string): ReadonlySet<string> {
  const privileges = new Set(globalPrivileges(grants));
  for (const line of grants) {
    const [, list = '', pattern = ''] = SCHEMA_GRANT.exec(line) ?? [];
    if (list === '' || !coversSchema(pattern, schema)) continue;
    for (const name of list.split(',')) privileges.add(name.trim().toUpperCase());
  }
  return privileges;
}

/** @param needed each one, or one of several, of which the first is named */
export function missingOf(
  granted: ReadonlySet<string>,
  needed: readonly (readonly string[])[],
): readonly string[] {
  if (granted.has('ALL PRIVILEGES')) return [];
  return needed
    .filter((alternatives) => !alternatives.some((name) => granted.has(name)))
    .map(([first]) => first!);
}
