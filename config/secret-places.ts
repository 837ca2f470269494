/** Finds the secrets in a configuration, by the schema: whoever reads, masks or compares them starts here. */
import { isMapping, type Mapping } from './mapping.ts';
import type { JsonSchemaNode } from './settings.ts';

/** A copy of `value` in which `replace` stands for what the schema at `nodes` calls a secret. */
export function mapSecrets(
  nodes: readonly JsonSchemaNode[],
  value: unknown,
  replace: (secret: unknown, path: readonly PropertyKey[]) => unknown,
  path: readonly PropertyKey[] = [],
): unknown {
  const all = nodes.flatMap((node) => [node, ...(node.anyOf ?? [])]);
  if (all.some((node) => node['x-secret'] === true)) return replace(value, path);
  if (Array.isArray(value)) {
    const items = all.flatMap(({ items }) => items ?? []);
    return items.length === 0
      ? value
      : value.map((each: unknown, index) => mapSecrets(items, each, replace, [...path, index]));
  }
  if (!isMapping(value)) return value;
  const copy: Mapping = {};
  for (const [key, child] of Object.entries(value)) {
    const children = all.flatMap(({ properties }) =>
      properties !== undefined && Object.hasOwn(properties, key) ? (properties[key] ?? []) : [],
    );
    // A key may be `__proto__`.
    Object.defineProperty(copy, key, {
      value: children.length === 0 ? child : mapSecrets(children, child, replace, [...path, key]),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
}
