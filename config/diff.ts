/** `sluice config diff`: what is different between two configurations, setting by setting, and without secrets. */
import { defaultShape, fileShape, MASK, masked } from './effective.ts';
import type { LoadedConfig } from './load.ts';
import { isMapping, type Mapping } from './mapping.ts';
import {
  collectElementSettings,
  collectSettings,
  configJsonSchema,
  type JsonSchemaNode,
} from './settings.ts';

export interface ConfigDifference {
  /** e.g. `pool.maxConnections`, `users[app].password` */
  readonly path: string;
  /** As JSON; null where it is not there. */
  readonly before: string | null;
  readonly after: string | null;
  /** A change takes effect at the next start only. */
  readonly needsRestart: boolean;
}

/** What elements of lists are called: the same element at another place is no difference. */
function nameOf(element: unknown): string | null {
  if (typeof element === 'string') return element;
  if (!isMapping(element)) return null;
  const { username, host, port, hostgroup, ruleId, schemaName, flagIn, digest, writerHostgroup } = element;
  if (username !== undefined && digest === undefined) {
    const parts = [username, host, schemaName, flagIn].filter((part) => part !== undefined && part !== '%');
    return parts.join('@');
  }
  if (host !== undefined) return `${host}:${port}${hostgroup === null ? '' : `/${hostgroup}`}`;
  if (ruleId !== undefined) return String(ruleId);
  const number = writerHostgroup ?? hostgroup;
  return number === undefined ? null : String(number);
}

function elementsOf(list: readonly unknown[]): [string, unknown][] {
  const seen = new Map<string, number>();
  return list.map((element, index) => {
    const name = nameOf(element) ?? String(index);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return [count === 1 ? name : `${name}#${count}`, element];
  });
}

interface Leaf {
  /** Compared. */
  readonly raw: unknown;
  /** Told. */
  readonly shown: unknown;
}

/** By path: single settings, and elements of lists as a whole. */
class Flattened {
  readonly leaves = new Map<string, Leaf>();
  readonly elements = new Map<string, unknown>();
  /** Top-level keys of lists to the defaults of their elements. */
  readonly #defaults: ReadonlyMap<string, ReadonlyMap<string, unknown>>;

  constructor({ raw, shown }: Comparable) {
    const lists = Object.entries(configJsonSchema().properties ?? {});
    this.#defaults = new Map(lists.map(([key, node]) => [key, elementDefaults(node)]));
    this.#collect(raw, shown, '');
  }

  #collect(raw: unknown, shown: unknown, path: string): void {
    if (Array.isArray(raw) && Array.isArray(shown)) {
      for (const [index, [name, element]] of elementsOf(raw).entries()) {
        const place = `${path}[${name}]`;
        this.elements.set(place, this.#withoutDefaults(shown[index], path));
        this.#collect(element, shown[index], place);
      }
    } else if (isMapping(raw) && isMapping(shown)) {
      for (const [key, child] of Object.entries(raw))
        this.#collect(child, shown[key], path === '' ? key : `${path}.${key}`);
    } else this.leaves.set(path, { raw: raw ?? null, shown: shown ?? null });
  }

  /** What somebody would write for an element of the list at `path`. */
  #withoutDefaults(element: unknown, path: string): unknown {
    const defaults = this.#defaults.get(path);
    if (!isMapping(element) || defaults === undefined) return element;
    return Object.fromEntries(
      Object.entries(element).filter(
        ([key, value]) => value !== null && JSON.stringify(value) !== JSON.stringify(defaults.get(key)),
      ),
    );
  }
}

function elementDefaults(list: JsonSchemaNode): ReadonlyMap<string, unknown> {
  return new Map(collectElementSettings(list).map(({ path, defaultValue }) => [path, defaultValue]));
}

export interface Comparable {
  readonly raw: Mapping;
  readonly shown: Mapping;
}

export function comparable({ config, secretOrigins }: LoadedConfig): Comparable {
  const raw = fileShape(config);
  return { raw, shown: masked(raw, secretOrigins) };
}

export function comparableDefaults(): Comparable {
  const raw = defaultShape();
  return { raw, shown: masked(raw) };
}

/** The element that a path lies in, where the other side has none of its name; else null. */
function lonelyElement(path: string, own: Flattened, other: Flattened): string | null {
  for (let end = path.indexOf(']'); end >= 0; end = path.indexOf(']', end + 1)) {
    const element = path.slice(0, end + 1);
    if (own.elements.has(element) && !other.elements.has(element)) return element;
  }
  return null;
}

export function diffConfigs(before: Comparable, after: Comparable): ConfigDifference[] {
  const old = new Flattened(before);
  const now = new Flattened(after);
  const restarts = collectSettings(configJsonSchema()).filter(({ reloadable }) => !reloadable);
  const differences = new Map<string, ConfigDifference>();
  const note = (path: string, shownBefore: unknown, shownAfter: unknown): void => {
    const needsRestart = restarts.some((each) => path === each.path || path.startsWith(`${each.path}[`));
    const text = (shown: unknown): string | null => (shown === undefined ? null : JSON.stringify(shown));
    differences.set(path, { path, before: text(shownBefore), after: text(shownAfter), needsRestart });
  };
  for (const [path, { raw, shown }] of old.leaves) {
    const element = lonelyElement(path, old, now);
    const other = now.leaves.get(path);
    if (element !== null) note(element, old.elements.get(element), undefined);
    else if (JSON.stringify(raw) !== JSON.stringify(other?.raw)) note(path, shown, other?.shown);
  }
  for (const [path, { shown }] of now.leaves) {
    const element = lonelyElement(path, now, old);
    if (element !== null) note(element, undefined, now.elements.get(element));
    else if (!old.leaves.has(path)) note(path, undefined, shown);
  }
  return [...differences.values()];
}

export function formatDifference({ path, before, after, needsRestart }: ConfigDifference): string {
  const note = needsRestart ? '  (at the next start)' : '';
  if (before === null) return `+ ${path}: ${after}${note}`;
  if (after === null) return `- ${path}: ${before}${note}`;
  const secret = before === after && before.includes(MASK);
  return `~ ${path}: ${secret ? `${MASK} (another one)` : `${before} -> ${after}`}${note}`;
}
