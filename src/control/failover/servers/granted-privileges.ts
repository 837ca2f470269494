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
