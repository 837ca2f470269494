/** Values from `SLUICE_…` variables and from flags: text that stands for the value of one setting. */
import type { ConfigProblem, ConfigSource } from './config-error.ts';
import { nearestName } from './nearest-name.ts';
import { isServiceLink } from './service-link.ts';
import { ENVIRONMENT_PREFIX, type Setting, SettingKind } from './settings.ts';

export interface OverlayValue {
  readonly setting: Setting;
  readonly value: unknown;
  readonly source: ConfigSource;
}

export interface Overlay {
  readonly values: readonly OverlayValue[];
  readonly problems: readonly ConfigProblem[];
}

/** Names the file; read by the command line, and no setting of its own. */
export const CONFIG_FILE_VARIABLE = 'SLUICE_CONFIG';

/**
 * Variables that are no settings: of the tests of this project, whose processes hand them down to the Sluice that they
 * start, and of `sluice check`, which may run in the same container.
 */
const OTHER_PREFIXES = /^SLUICE_(?:TEST|CHECK)_/;

/** `SLUICE_MONITOR_PASSWORD_FILE` names a file that holds the value of `SLUICE_MONITOR_PASSWORD`. */
const FILE_SUFFIX = /_FILE$/;

/** Lists whose elements may be written `name:password`. */
const ACCOUNT_LISTS: ReadonlySet<string> = new Set(['users', 'admin.users']);

type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

function parseInteger(text: string): Parsed {
  const value = Number(text);
  if (/^-?[0-9]{1,15}$/.test(text)) return { ok: true, value };
  return { ok: false, message: 'expected a whole number' };
}

function parseBoolean(text: string): Parsed {
  if (/^(true|yes|on|1)$/i.test(text)) return { ok: true, value: true };
  if (/^(false|no|off|0)$/i.test(text)) return { ok: true, value: false };
  return { ok: false, message: 'expected true or false' };
}

/** `name:password` or `name`; a password may hold colons, but no comma. */
function parseAccount(text: string): unknown {
  const colon = text.indexOf(':');
  if (colon === -1) return { username: text };
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function parseList(setting: Setting, text: string): Parsed {
  if (/^\s*[[{]/.test(text) && !/^\s*\[[0-9a-fA-F:.%]+\]/.test(text)) {
    try {
      return { ok: true, value: JSON.parse(text) };
    } catch {
      return { ok: false, message: 'expected a comma-separated list, or valid JSON' };
    }
  }
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => part === '')) {
    return { ok: false, message: 'expected a comma-separated list, but an element is empty' };
  }
  return { ok: true, value: ACCOUNT_LISTS.has(setting.path) ? parts.map(parseAccount) : parts };
}

function parseText(setting: Setting, text: string): Parsed {
  switch (setting.kind) {
    case SettingKind.integer:
      return parseInteger(text.trim());
    case SettingKind.boolean:
      return parseBoolean(text.trim());
    case SettingKind.list:
      return parseList(setting, text);
    case SettingKind.string:
      return { ok: true, value: text };
  }
}

function addValue(overlay: { values: OverlayValue[]; problems: ConfigProblem[] }, entry: OverlayValue): void {
  const parsed = parseText(entry.setting, String(entry.value));
  if (parsed.ok) overlay.values.push({ ...entry, value: parsed.value });
  else {
    const { message } = parsed;
    overlay.problems.push({ key: entry.setting.path, message, source: entry.source, suggestion: null });
  }
}

/** An empty variable counts as not set, as `${NAME:-}` in a compose file means it. */
export function readEnvironment(settings: readonly Setting[], env: NodeJS.ProcessEnv): Overlay {
  const byVariable = new Map(settings.map((setting) => [setting.variable, setting]));
  const overlay = { values: [] as OverlayValue[], problems: [] as ConfigProblem[] };
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || value === undefined || isServiceLink(name, value)) continue;
    if (name === CONFIG_FILE_VARIABLE || OTHER_PREFIXES.test(name)) continue;
    const source: ConfigSource = { kind: 'environment', name };
    const setting = byVariable.get(name);
    const fromFile = byVariable.get(name.replace(FILE_SUFFIX, ''));
    if (setting === undefined && fromFile?.secret === true) {
      if (value !== '') overlay.values.push({ setting: fromFile, value: { file: value }, source });
      const twin = env[fromFile.variable] ?? '';
      if (value !== '' && twin !== '') {
        const message = `${fromFile.variable} is set as well`;
        overlay.problems.push({ key: fromFile.path, message, source, suggestion: null });
      }
    } else if (setting === undefined) {
      const suggestion = nearestName(name, byVariable.keys());
      overlay.problems.push({ key: '', message: 'unknown environment variable', source, suggestion });
    } else if (value !== '') {
      addValue(overlay, { setting, value, source });
    }
  }
  return overlay;
}

/** @param flags by the setting's path, without the dashes */
export function readFlags(settings: readonly Setting[], flags: Readonly<Record<string, string>>): Overlay {
  const byPath = new Map(settings.map((setting) => [setting.path, setting]));
  const overlay = { values: [] as OverlayValue[], problems: [] as ConfigProblem[] };
  for (const [name, value] of Object.entries(flags)) {
    const source: ConfigSource = { kind: 'flag', name };
    const setting = byPath.get(name);
    if (setting === undefined) {
      const nearest = nearestName(name, byPath.keys());
      const suggestion = nearest === null ? null : `--${nearest}`;
      overlay.problems.push({ key: '', message: 'unknown flag', source, suggestion });
    } else {
      addValue(overlay, { setting, value, source });
    }
  }
  return overlay;
}
