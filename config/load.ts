/**
 * From a file, the environment and flags to one frozen configuration, or to one error with everything that is wrong.
 * Flags are laid over the environment, and that over the file, setting by setting; a list is replaced as a whole.
 */
import { readFileSync } from 'node:fs';
import { type CheckProblem, checkConfig, type Placed } from './checks.ts';
import { ConfigError, type ConfigProblem, type ConfigSource } from './config-error.ts';
import { deepFreeze } from './deep-freeze.ts';
import { fitToMachine } from './fit.ts';
import { formatPath, IssueWriter, valueAt } from './issue-message.ts';
import { type Machine, thisMachine } from './machine.ts';
import { isMapping, type Mapping } from './mapping.ts';
import { openFileWarnings } from './open-files.ts';
import { type OverlayValue, readEnvironment, readFlags } from './overlay.ts';
import { type BackendUsersConfig, type Config, type ConfigValues, configSchema } from './schema.ts';
import { type SecretOrigin, SecretReader } from './secrets.ts';
import { parseHost } from './server-address.ts';
import { collectSettings, configJsonSchema, isSection, type JsonSchemaNode } from './settings.ts';
import { fitProblems } from './sizing.ts';
import { parseYaml, type YamlSource } from './yaml-source.ts';

export interface ConfigLayers {
  /** Path of the file; with `text`, only its name for messages. */
  readonly file?: string;
  /** The file's content, where it is known already. */
  readonly text?: string;
  readonly env: NodeJS.ProcessEnv;
  /** By the setting's path, e.g. `{ 'listen.port': '6033' }`. */
  readonly flags: Readonly<Record<string, string>>;
  /** Which the sizes are to fit; this one unless told. */
  readonly machine?: Machine;
}

/** A configuration, and what is known of how it came about. */
export interface LoadedConfig {
  readonly config: Config;
  /** The layer that set a setting, or part of one; `default` where none did. */
  sourceOf(path: readonly PropertyKey[]): ConfigSource;
  /** Where secrets were read from, by path as messages write it; those that stand in the configuration are not in it. */
  readonly secretOrigins: ReadonlyMap<string, SecretOrigin>;
  /** Files with secrets that others can get at. */
  readonly warnings: readonly string[];
  /** Why it cannot run on this machine, a sentence each; another machine may have room for it. */
  readonly tooLarge: readonly ConfigProblem[];
}

const NO_FILE: YamlSource = { values: {}, problems: [], lineOf: () => null };

function readLayer(layers: ConfigLayers): YamlSource {
  const file = layers.file ?? 'sluice.yaml';
  if (layers.text !== undefined) return parseYaml(file, layers.text);
  if (layers.file === undefined) return NO_FILE;
  try {
    return parseYaml(file, readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    const message = `the file cannot be read (${reason})`;
    const source: ConfigSource = { kind: 'file', file, line: null };
    return { ...NO_FILE, problems: [{ key: '', message, source, suggestion: null }] };
  }
}

/** A copy in which a section with all its keys commented out (`listen:`) is the same as none. */
function withoutEmptySections(schema: JsonSchemaNode, values: Readonly<Record<string, unknown>>): Mapping {
  const raw: Mapping = {};
  for (const [key, value] of Object.entries(values)) {
    const node = Object.hasOwn(schema.properties ?? {}, key) ? schema.properties?.[key] : undefined;
    const isOfSection = node !== undefined && isSection(node);
    if (value === null && isOfSection) continue;
    Object.defineProperty(raw, key, {
      value: isMapping(value) ? (isOfSection ? withoutEmptySections(node, value) : { ...value }) : value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return raw;
}

function applyOverlay(raw: Mapping, values: readonly OverlayValue[]): void {
  for (const { setting, value } of values) {
    const sections = setting.path.split('.');
    const key = sections.pop() ?? '';
    let parent: unknown = raw;
    for (const name of sections) {
      if (!isMapping(parent)) break;
      // A section that is no mapping is reported as such; the overlay must not hide that.
      if (parent[name] === undefined) parent[name] = {};
      parent = parent[name];
    }
    if (isMapping(parent)) parent[key] = value;
  }
}

class Loader {
  readonly #schema = configJsonSchema();
  readonly #settings = collectSettings(this.#schema);
  readonly #layers: ConfigLayers;
  readonly #yaml: YamlSource;
  readonly #overlays: readonly OverlayValue[];
  readonly #problems: ConfigProblem[] = [];
  readonly #raw: Mapping;
  readonly #secrets: SecretReader;
  /** Top-level keys with a problem, and the places of faulty elements in top-level lists. */
  readonly #faulty = new Map<string, Set<number>>();

  constructor(layers: ConfigLayers) {
    this.#layers = layers;
    this.#yaml = readLayer(layers);
    const environment = readEnvironment(this.#settings, layers.env);
    const flags = readFlags(this.#settings, layers.flags);
    this.#overlays = [...environment.values, ...flags.values];
    this.#problems.push(...this.#yaml.problems, ...environment.problems, ...flags.problems);
    for (const { key } of this.#problems) this.#markFaulty(key.split('.'));
    const written = withoutEmptySections(this.#schema, this.#yaml.values);
    applyOverlay(written, this.#overlays);
    this.#secrets = new SecretReader(layers.env);
    this.#raw = this.#secrets.resolve(this.#schema, written) as Mapping;
    for (const { path, message } of this.#secrets.problems) this.#report(path, message, null);
  }

  load(): LoadedConfig {
    const values = withoutBrackets(this.#parse());
    const found: CheckProblem[] = [];
    const lists = checkConfig(
      {
        values,
        servers: this.#place('servers', values.servers),
        users: Array.isArray(values.users)
          ? this.#place('users', values.users)
          : values.users.listed.map((value, index) => ({ index, value })),
        queryRules: this.#place('queryRules', values.queryRules),
        fastRouting: this.#place('fastRouting', values.fastRouting),
        // A file that could not be read says nothing about what is missing from it.
        isFaulty: (key) => this.#faulty.has(key) || this.#yaml.problems.length > 0,
      },
      found,
    );
    for (const { path, message } of found) this.#report(path, message, null);
    if (this.#problems.length > 0) throw new ConfigError(this.#sorted());
    const backendUsers = backendUsersOf(values);
    const { file, text, machine = thisMachine() } = this.#layers;
    const isWritten = (path: string) => this.#givenSourceOf(path.split('.')).kind !== 'default';
    const fitted = fitToMachine(values, machine, isWritten);
    const config = { ...fitted, ...lists, backendUsers };
    return {
      config: deepFreeze(config),
      sourceOf: (path) => this.#givenSourceOf(path),
      secretOrigins: this.#secrets.origins,
      warnings: openFileWarnings({
        config,
        secretOrigins: this.#secrets.origins,
        file: file === undefined || text !== undefined ? null : file,
        inFile: this.#secrets.inline.filter((path) => this.#isInFile(path)),
      }),
      tooLarge: fitProblems(machine, fitted, fitted.workers, isWritten).map(({ path, message }) => ({
        key: path,
        message,
        source: path === '' ? { kind: 'default' } : this.#sourceOf(path.split('.')),
        suggestion: null,
      })),
    };
  }

  /** @param path as messages write it. A list comes whole from one layer. */
  #isInFile(path: string): boolean {
    return !this.#overlays.some(({ setting }) => `${path}.`.startsWith(setting.path));
  }

  /** Reports every issue of the schema, then parses what is left, so that the checks across keys run as well. */
  #parse(): ConfigValues {
    const result = configSchema.safeParse(this.#raw);
    if (result.success) return result.data;
    const writer = new IssueWriter(this.#schema, this.#settings, this.#raw);
    const described = new Set<string>();
    for (const each of result.error.issues.flatMap((issue) => writer.describe(issue))) {
      const { path, message, suggestion } = each;
      // Several faults of one secret are told in the same words.
      if (described.size === described.add(JSON.stringify(each)).size) continue;
      this.#report(path, message, suggestion);
      this.#markFaulty(path);
      this.#cutOut(path);
    }
    for (const list of this.#faulty.keys()) {
      const value = this.#raw[list];
      if (Array.isArray(value))
        this.#raw[list] = value.filter((_, index) => !this.#faulty.get(list)?.has(index));
    }
    return configSchema.parse(this.#raw);
  }

  #markFaulty(path: readonly PropertyKey[]): void {
    const [first, index] = path;
    const places = this.#faulty.get(String(first)) ?? new Set<number>();
    if (typeof index === 'number') places.add(index);
    this.#faulty.set(String(first), places);
  }

  /** Takes the setting at fault away, so that its default stands in; elements of lists are filtered afterwards. */
  #cutOut(path: readonly PropertyKey[]): void {
    if (typeof path[1] === 'number') return;
    let parent: Mapping = this.#raw;
    let node: JsonSchemaNode = this.#schema;
    for (const [index, step] of path.entries()) {
      const key = String(step);
      const child = parent[key];
      node = node.properties?.[key] ?? {};
      if (index === path.length - 1 || !isSection(node) || !isMapping(child)) {
        delete parent[key];
        return;
      }
      parent = child;
    }
  }

  #place<T>(list: string, values: readonly T[]): Placed<T>[] {
    const faulty = this.#faulty.get(list) ?? new Set<number>();
    const placed: Placed<T>[] = [];
    let index = 0;
    for (const value of values) {
      while (faulty.has(index)) index++;
      placed.push({ index: index++, value });
    }
    return placed;
  }

  #report(path: readonly PropertyKey[], message: string, suggestion: string | null): void {
    this.#problems.push({ key: formatPath(path), message, suggestion, source: this.#sourceOf(path) });
  }

  #overlaySourceOf(path: readonly PropertyKey[]): ConfigSource | null {
    const key = path.filter((step) => typeof step === 'string').join('.');
    const overlay = this.#overlays.findLast(({ setting }) => `${key}.`.startsWith(`${setting.path}.`));
    return overlay?.source ?? null;
  }

  /** Unlike that of a problem: what the file does not hold is a default. */
  #givenSourceOf(path: readonly PropertyKey[]): ConfigSource {
    const overlay = this.#overlaySourceOf(path);
    if (overlay !== null) return overlay;
    const given = valueAt(withoutEmptySections(this.#schema, this.#yaml.values), path);
    return given === undefined ? { kind: 'default' } : this.#sourceOf(path);
  }

  #sourceOf(path: readonly PropertyKey[]): ConfigSource {
    const overlay = this.#overlaySourceOf(path);
    if (overlay !== null) return overlay;
    if (this.#layers.file === undefined && this.#layers.text === undefined) return { kind: 'default' };
    return { kind: 'file', file: this.#layers.file ?? 'sluice.yaml', line: this.#yaml.lineOf(path) };
  }

  /** Problems of the file first, from top to bottom. */
  #sorted(): ConfigProblem[] {
    const rank = ({ source }: ConfigProblem) =>
      source.kind === 'file' ? (source.line ?? 0) : Number.MAX_SAFE_INTEGER;
    return this.#problems.toSorted((a, b) => rank(a) - rank(b));
  }
}

/** `[::1]` is how a URL writes the address `::1`, which is what the system takes. */
function withoutBrackets(values: ConfigValues): ConfigValues {
  const normalised = <T extends { readonly host: string }>(listener: T): T => ({
    ...listener,
    host: parseHost(listener.host) ?? listener.host,
  });
  const { listen, admin, http } = values;
  return { ...values, listen: normalised(listen), admin: normalised(admin), http: normalised(http) };
}

function backendUsersOf({ users }: ConfigValues): BackendUsersConfig | null {
  if (Array.isArray(users)) return null;
  const { refreshIntervalMs, timeoutMs, serverConnectionLimits } = users;
  return { refreshIntervalMs, timeoutMs, serverConnectionLimits };
}

/** @throws ConfigError with all problems at once; nothing is half loaded */
export function loadConfig(layers: ConfigLayers): Config {
  return loadConfigWithSources(layers).config;
}

/** @throws ConfigError like `loadConfig` */
export function loadConfigWithSources(layers: ConfigLayers): LoadedConfig {
  return new Loader(layers).load();
}
