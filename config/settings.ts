/**
 * The schema as a flat list of settings: what the environment, the flags, the messages and the generated pages need.
 * Read from the JSON schema, which is plain data, so that nothing here depends on the insides of zod.
 */
import * as z from 'zod';
import { configSchema } from './schema.ts';

/** The part of a JSON schema that our schema uses. */
export interface JsonSchemaNode {
  /** A list where null is allowed as well. */
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchemaNode;
  readonly anyOf?: readonly JsonSchemaNode[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
  readonly 'x-reloadable'?: boolean;
  readonly 'x-unit'?: string;
  readonly 'x-default'?: string;
  readonly 'x-secret'?: boolean;
}

export const SettingKind = {
  integer: 'integer',
  boolean: 'boolean',
  string: 'string',
  list: 'list',
} as const;
export type SettingKind = (typeof SettingKind)[keyof typeof SettingKind];

export interface Setting {
  /** e.g. `listen.port` */
  readonly path: string;
  readonly kind: SettingKind;
  readonly nullable: boolean;
  readonly values: readonly string[] | null;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly unit: string | null;
  readonly defaultValue: unknown;
  readonly defaultText: string | null;
  readonly reloadable: boolean;
  readonly secret: boolean;
  readonly description: string;
  /** e.g. `SLUICE_LISTEN_PORT` */
  readonly variable: string;
}

export const ENVIRONMENT_PREFIX = 'SLUICE_';

let jsonSchema: JsonSchemaNode | null = null;

/** The same value each time: it takes milliseconds to make. */
export function configJsonSchema(): JsonSchemaNode {
  // What an operator writes (`input`), where keys with a default may be left out.
  jsonSchema ??= z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchemaNode;
  return jsonSchema;
}

function environmentVariable(path: string): string {
  const snake = path.replace(/\./g, '_').replace(/([a-z0-9])([A-Z])/g, '$1_$2');
  return ENVIRONMENT_PREFIX + snake.toUpperCase();
}

function hasType(node: JsonSchemaNode, type: string): boolean {
  return node.type === type || (Array.isArray(node.type) && node.type.includes(type));
}

/** The alternative of a nullable or mixed node that is not `null`, lists before mappings. */
function mainAlternative(node: JsonSchemaNode): JsonSchemaNode {
  const alternatives = node.anyOf?.filter((each) => each.type !== 'null') ?? [];
  const best = alternatives.find((each) => each.type === 'array') ?? alternatives[0];
  return best === undefined ? node : mainAlternative(best);
}

function kindOf(node: JsonSchemaNode): SettingKind {
  if (hasType(node, 'array')) return SettingKind.list;
  if (hasType(node, 'integer')) return SettingKind.integer;
  if (hasType(node, 'boolean')) return SettingKind.boolean;
  return SettingKind.string;
}

function toSetting(path: string, node: JsonSchemaNode): Setting {
  const main = mainAlternative(node);
  return {
    path,
    kind: kindOf(main),
    nullable: hasType(node, 'null') || (node.anyOf ?? []).some((each) => hasType(each, 'null')),
    values: main.enum ?? null,
    minimum: main.minimum ?? null,
    maximum: main.maximum ?? null,
    unit: node['x-unit'] ?? null,
    defaultValue: node.default,
    defaultText: node['x-default'] ?? null,
    reloadable: node['x-reloadable'] ?? true,
    secret: node['x-secret'] ?? false,
    description: node.description ?? '',
    variable: environmentVariable(path),
  };
}

/** Whether a node is a section of the file: a mapping of settings, and not a setting itself. */
export function isSection(node: JsonSchemaNode): boolean {
  return node.type === 'object' && node.properties !== undefined;
}

export function collectSettings(node: JsonSchemaNode, prefix = ''): Setting[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    isSection(child) ? collectSettings(child, `${prefix}${key}.`) : [toSetting(prefix + key, child)],
  );
}

/** The keys that a list's elements may have, when they are mappings. */
export function collectElementSettings(list: JsonSchemaNode): Setting[] {
  const items = mainAlternative(list).items;
  const mapping = items?.anyOf?.find((each) => each.type === 'object') ?? items;
  return mapping === undefined ? [] : collectSettings(mapping);
}

/** The schema of what stands at a path of keys and list positions; null where the schema ends. */
export function nodeAt(root: JsonSchemaNode, path: readonly PropertyKey[]): JsonSchemaNode | null {
  let nodes: readonly JsonSchemaNode[] = [root];
  for (const step of path) {
    nodes = nodes
      .flatMap((node) => (node.anyOf ? [node, ...node.anyOf] : [node]))
      .map((node) => (typeof step === 'number' ? node.items : node.properties?.[String(step)]))
      .filter((node) => node !== undefined);
  }
  const found = nodes[0];
  if (found === undefined) return null;
  return nodes.length === 1 ? found : { anyOf: nodes };
}

/** Names of the keys that are valid in the mapping at `node`. */
export function validKeys(node: JsonSchemaNode | null): string[] {
  if (node === null) return [];
  return [
    ...Object.keys(node.properties ?? {}),
    ...(node.anyOf ?? []).flatMap((alternative) => validKeys(alternative)),
  ];
}
