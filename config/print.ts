/** `sluice config print`: the configuration that is in force, as a file, with the place that each setting comes from. */
import { stringify } from 'yaml';
import { type ConfigSource, formatSource } from './config-error.ts';
import { fileShape, masked } from './effective.ts';
import type { LoadedConfig } from './load.ts';
import { isMapping, type Mapping } from './mapping.ts';
import { configJsonSchema, isSection, type JsonSchemaNode } from './settings.ts';

const COMMENT_COLUMN = 44;

function setting(key: string, value: unknown, source: ConfigSource, indent: string): string {
  const comment = `# ${formatSource(source, 'default')}`;
  const isList = Array.isArray(value) ? value.length > 0 : isMapping(value) && Object.keys(value).length > 0;
  const isReference = isMapping(value) && ('file' in value || 'env' in value);
  if (isList && !isReference) {
    const lines = stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
    return [`${indent}${key}: ${comment}`, ...lines.map((line) => `${indent}  ${line}`)].join('\n');
  }
  const text = `${indent}${key}: ${JSON.stringify(value ?? null)}`;
  return `${text.padEnd(COMMENT_COLUMN)} ${comment}`;
}

/** @returns YAML that is a configuration itself where all secrets come from files or variables. */
export function printConfig(loaded: LoadedConfig): string {
  const schema = configJsonSchema();
  const shape = masked(fileShape(loaded.config), loaded.secretOrigins);
  const lines = (node: JsonSchemaNode, values: Mapping, path: readonly string[]): string[] => {
    const indent = '  '.repeat(path.length);
    return Object.entries(values).flatMap(([key, value]) => {
      const child = node.properties?.[key];
      const place = [...path, key];
      // A secret is left out, or is one: it cannot be written as nothing.
      if (value === null && child?.['x-secret'] === true) return [];
      if (child === undefined || !isSection(child) || !isMapping(value))
        return [setting(key, value, loaded.sourceOf(place), indent)];
      return [`${indent}${key}:`, ...lines(child, value, place)];
    });
  };
  return `${lines(schema, shape, []).join('\n')}\n`;
}
