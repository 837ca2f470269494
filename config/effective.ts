/** A configuration as it may be shown: in the shape that the file has, with every default, and without its secrets. */
import { fitToMachine } from './fit.ts';
import { formatPath } from './issue-message.ts';
import type { LoadedConfig } from './load.ts';
import { thisMachine } from './machine.ts';
import type { Mapping } from './mapping.ts';
import { type Config, configSchema } from './schema.ts';
import { mapSecrets } from './secret-places.ts';
import { configJsonSchema } from './settings.ts';

/** Stands for a secret that is there. */
export const MASK = '***';

const PRIVATE_KEY = /PRIVATE KEY-----/;
const URL_LOGIN = /^([a-z]+:\/\/)[^/@]*@/i;

/** Beside what the schema calls a secret: keys in PEM, and logins in addresses. */
function maskText(value: unknown): unknown {
  if (typeof value === 'string') {
    if (PRIVATE_KEY.test(value)) return MASK;
    return value.replace(URL_LOGIN, `$1${MASK}@`);
  }
  if (Array.isArray(value)) return value.map(maskText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, maskText(child)]));
}

/** As the file would have to say it, in the order of the schema. Secrets are still in it. */
export function fileShape({ users, backendUsers, ...rest }: Config): Mapping {
  const shaped: Mapping = {
    ...rest,
    users: backendUsers === null ? users : { source: 'backend', ...backendUsers, listed: users },
  };
  const keys = Object.keys(configJsonSchema().properties ?? {});
  return Object.fromEntries(keys.map((key) => [key, shaped[key]]));
}

/** Every secret is `***`, or the file or variable that it was read from. */
export function masked(shape: Mapping, secretOrigins: LoadedConfig['secretOrigins'] = new Map()): Mapping {
  const withoutSecrets = mapSecrets([configJsonSchema()], shape, (secret, path) => {
    if (secret === null || secret === undefined) return null;
    const origin = secretOrigins.get(formatPath(path));
    if (origin === undefined) return MASK;
    return origin.kind === 'file' ? { file: origin.name } : { env: origin.name };
  });
  return maskText(withoutSecrets) as Mapping;
}

/** What holds where nothing is configured; servers and the monitor's account have no default. */
export function defaultShape(): Mapping {
  const { fitted: _, ...values } = fitToMachine(configSchema.parse({}), thisMachine(), () => false);
  return values;
}
