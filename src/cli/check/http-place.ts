/**
 * Where the http port of a Sluice is, from what that Sluice itself reads: flags, environment, file. The few settings
 * are read without the schema, which takes longer to load than a health check may take. What is wrong with any other
 * setting is for that Sluice to say.
 */
import { readFileSync } from 'node:fs';
import { isServiceLink } from '../../../config/service-link.ts';
import { CheckError } from './check-exit.ts';

export interface HttpPlace {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** The file that was asked; null where none is named. */
  readonly configFile: string | null;
}

export interface PlaceSources {
  readonly configFile: string | null;
  /** By the setting's path: `http.host`, `http.port`, `http.tls`. */
  readonly flags: ReadonlyMap<string, string>;
  readonly env: NodeJS.ProcessEnv;
}

/** The settings that say where it is, and their defaults. */
const DEFAULTS = { 'http.host': '127.0.0.1', 'http.port': '6080', 'http.tls': 'false' } as const;
export type PlaceSetting = keyof typeof DEFAULTS;
export const PLACE_SETTINGS = Object.keys(DEFAULTS) as readonly PlaceSetting[];

const VARIABLES: Readonly<Record<PlaceSetting, string>> = {
  'http.host': 'SLUICE_HTTP_HOST',
  'http.port': 'SLUICE_HTTP_PORT',
  'http.tls': 'SLUICE_HTTP_TLS',
};
const TRUE = /^(true|yes|on|1)$/i;
/** The addresses at which a listener on all of them is reached. */
const REACHED: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** @throws CheckError */
export async function httpPlace({ configFile, flags, env }: PlaceSources): Promise<HttpPlace> {
  const file = configFile ?? (env.SLUICE_CONFIG || null);
  const isComplete = PLACE_SETTINGS.every((setting) => flags.has(setting) || variableOf(env, setting) !== '');
  const written = file === null || isComplete ? {} : await httpSectionOf(file);
  const textFor = (setting: PlaceSetting): string =>
    flags.get(setting) ??
    (variableOf(env, setting) || textOf(written[setting.slice('http.'.length)]) || DEFAULTS[setting]);
  const host = textFor('http.host').replace(/^\[(.*)\]$/, '$1');
  const port = Number(textFor('http.port').trim());
  if (port === 0) throw new CheckError('http.port is 0, so that the system has chosen the port: use --url');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new CheckError('http.port is no port');
  return { host: REACHED[host] ?? host, port, isTls: TRUE.test(textFor('http.tls')), configFile: file };
}

function variableOf(env: NodeJS.ProcessEnv, setting: PlaceSetting): string {
  const name = VARIABLES[setting];
  const value = env[name] ?? '';
  return isServiceLink(name, value) ? '' : value;
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}

async function httpSectionOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new CheckError(`${file} cannot be read (${reason})`);
  }
  // Most files say nothing about it, and reading YAML takes as long as all the rest.
  if (!text.includes('http')) return {};
  const { parseYaml } = await import('../../../config/yaml-source.ts');
  const { values, problems } = parseYaml(file, text);
  if (problems.length > 0) throw new CheckError(`${file} is no valid YAML`);
  const section = values.http;
  return typeof section === 'object' && section !== null ? (section as Record<string, unknown>) : {};
}
