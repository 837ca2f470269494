/** What the schema is made of: leaves with their description, unit and default, and sections of them. */
import * as z from 'zod';
import { MAX_HOSTGROUP } from './capacity.ts';
import { isMapping } from './mapping.ts';

export interface SettingMeta {
  readonly description: string;
  /** `ms`, `bytes`, `connections`…; absent for plain names and switches. */
  readonly unit?: string;
  /** Whether SIGHUP applies a changed value; the others need a restart. */
  readonly reloadable?: boolean;
  /** How the table names the default where the literal value would not say it. */
  readonly defaultText?: string;
  /** Never shown; may stand in a file or variable of its own. */
  readonly secret?: boolean;
}

/** setTimeout counts in 32 bits: anything longer would fire at once. */
export const MAX_TIMEOUT_MS = 2_147_483_647;

export function describe<T extends z.ZodType>(schema: T, meta: SettingMeta): T {
  const { description, unit, reloadable = true, defaultText, secret } = meta;
  return schema.meta({
    description,
    'x-reloadable': reloadable,
    ...(unit === undefined ? {} : { 'x-unit': unit }),
    ...(defaultText === undefined ? {} : { 'x-default': defaultText }),
    ...(secret === true ? { 'x-secret': true } : {}),
  });
}

export function section<T extends z.ZodRawShape>(description: string, shape: T) {
  return z
    .strictObject(shape)
    .prefault({} as z.input<z.ZodObject<T, z.core.$strict>>)
    .meta({ description });
}

export function integer(min: number, max: number, fallback: number, meta: SettingMeta) {
  return describe(z.int().min(min).max(max).default(fallback), meta);
}

/** A span of time; `minMs` is 0 only where zero has a meaning that the description gives. */
export function milliseconds(minMs: number, fallback: number, description: string) {
  return integer(minMs, MAX_TIMEOUT_MS, fallback, { description, unit: 'ms' });
}

export function listenPort(fallback: number, description: string) {
  return integer(0, 65_535, fallback, { description, reloadable: false });
}

export function hostName(fallback: string, description: string) {
  return describe(z.string().min(1).default(fallback), { description, reloadable: false });
}

export function optionalText(meta: SettingMeta) {
  return describe(z.string().min(1).nullable().default(null), meta);
}

/** What an operator wants to remember. */
export function comment() {
  return describe(z.string().max(4096).default(''), {
    description: 'For people; of no effect.',
    defaultText: 'none',
  });
}

/** A mapping that others read; kept as it is. */
export function jsonObject(description: string) {
  return describe(z.record(z.string(), z.unknown()).default({}), { description, defaultText: 'none' });
}

function isJsonObject(text: string): boolean {
  try {
    return isMapping(JSON.parse(text));
  } catch {
    return false;
  }
}

/** A JSON object as text, '' for none; in a file it may be a mapping as well. */
export function jsonText(description: string) {
  const text = z
    .union([z.string(), z.record(z.string(), z.unknown())])
    .default('')
    .transform((value, context) => {
      if (typeof value === 'object') return Object.keys(value).length === 0 ? '' : JSON.stringify(value);
      if (value === '' || isJsonObject(value)) return value;
      context.addIssue({ code: 'custom', message: 'expected a mapping, or a JSON object as text' });
      return z.NEVER;
    });
  return describe(text, { description, defaultText: 'none' });
}

export function optionalHostgroup(description: string) {
  return optionalInteger(0, MAX_HOSTGROUP, { description, defaultText: 'none' });
}

export function optionalInteger(min: number, max: number, meta: SettingMeta) {
  return describe(z.int().min(min).max(max).nullable().default(null), { defaultText: 'none', ...meta });
}
