/** A setting of the configuration as the text of a variable, each way. */

import type * as z from 'zod';
import type { Config } from '../../../config/schema.ts';
import { configSchema } from '../../../config/schema.ts';
import { type Setting, SettingKind } from '../../../config/settings.ts';
import { ValueError } from './column-mapping.ts';

export function settingValue(config: Config, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>>)[key], config);
}

/** `''` is a value that is not set. */
export function writeSetting(value: unknown): string {
  if (value === null) return '';
  return Array.isArray(value) ? value.join(',') : String(value);
}

function booleanOf(text: string): boolean {
  if (/^(true|1|on|yes)$/i.test(text)) return true;
  if (/^(false|0|off|no)$/i.test(text)) return false;
  throw new ValueError(`expected true or false, found ${JSON.stringify(text.slice(0, 60))}`);
}

function integerOf(setting: Setting, text: string): number {
  const value = Number(text);
  if (/^[+-]?\d{1,15}$/.test(text) && value >= setting.minimum! && value <= setting.maximum!) return value;
  const found = JSON.stringify(text.slice(0, 60));
  throw new ValueError(
    `expected a whole number from ${setting.minimum} to ${setting.maximum}, found ${found}`,
  );
}

function parsedText(setting: Setting, text: string): unknown {
  if (text === '' && setting.nullable) return null;
  switch (setting.kind) {
    case SettingKind.boolean:
      return booleanOf(text);
    case SettingKind.integer:
      return integerOf(setting, text.trim());
    case SettingKind.list:
      return text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case SettingKind.string:
      return text;
  }
}

/** What stands behind the defaults of a section. */
interface Wrapped {
  unwrap(): { readonly shape: Readonly<Record<string, z.ZodType>> };
}

function schemaOf(path: string): z.ZodType {
  const [first = '', ...rest] = path.split('.');
  const top = (configSchema.shape as Readonly<Record<string, z.ZodType>>)[first]!;
  return rest.reduce((section, key) => (section as unknown as Wrapped).unwrap().shape[key]!, top);
}

/** @throws ValueError */
export function readSetting(setting: Setting, text: string): unknown {
  const value = parsedText(setting, text);
  // A password that is not set is one that is left out.
  const parsed = schemaOf(setting.path).safeParse(value === null && setting.secret ? undefined : value);
  if (parsed.success) return parsed.data;
  const expected = setting.values === null ? null : `expected one of ${setting.values.join(', ')}`;
  const [issue] = parsed.error.issues;
  const empty = text === '' ? 'must not be empty' : (issue?.message ?? 'this value is not valid');
  throw new ValueError(expected ?? empty);
}
