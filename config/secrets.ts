/**
 * Reads the secrets that a configuration names by `{file: …}` or `{env: …}`, each time that it is loaded. What is
 * wrong with one is said with the name of the file or variable, never with what it holds.
 */
import { readFileSync, statSync } from 'node:fs';
import { formatPath } from './issue-message.ts';
import { isMapping } from './mapping.ts';
import { mapSecrets } from './secret-places.ts';
import type { JsonSchemaNode } from './settings.ts';

/** Where the text of one secret came from. */
export interface SecretOrigin {
  readonly kind: 'file' | 'environment';
  /** Path or variable. */
  readonly name: string;
}

export interface SecretProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A password is no longer; a larger file is some other file. */
const MAX_FILE_BYTES = 65_536;
/** Stands where a secret could not be read, so that the other checks can run; such a configuration is never used. */
const UNREADABLE = 'a secret that could not be read';

/** One line break at the end belongs to the file and not to the secret: editors and `echo` put it there. */
function readSecretFile(path: string): { text: string } | { message: string } {
  let bytes: Buffer;
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return { message: `${path} is no file` };
    if (stat.size > MAX_FILE_BYTES)
      return { message: `${path} is too large for a secret (${stat.size} bytes)` };
    bytes = readFileSync(path);
  } catch (error) {
    return {
      message: `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`,
    };
  }
  const text = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (text === '') return { message: `${path} is empty` };
  if (/[\r\n\0]/.test(text)) return { message: `${path} holds more than one line, expected the secret only` };
  return { text };
}

function readSecretVariable(name: string, env: NodeJS.ProcessEnv): { text: string } | { message: string } {
  const text = env[name];
  return text === undefined || text === '' ? { message: `the variable ${name} is not set` } : { text };
}

export class SecretReader {
  readonly #env: NodeJS.ProcessEnv;
  /** By path, as messages write it. */
  readonly origins = new Map<string, SecretOrigin>();
  readonly problems: SecretProblem[] = [];
  /** Paths of secrets that stand in the configuration itself. */
  readonly inline: string[] = [];

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  /** A copy of `value` in which texts stand for references; what has no valid form is left for the schema to refuse. */
  resolve(schema: JsonSchemaNode, value: unknown): unknown {
    return mapSecrets([schema], value, (secret, path) => this.#secret(secret, path));
  }

  #secret(value: unknown, path: readonly PropertyKey[]): unknown {
    if (typeof value === 'string') this.inline.push(formatPath(path));
    if (!isMapping(value)) return value;
    const [key, ...others] = Object.keys(value);
    const name = key === undefined ? undefined : value[key];
    if (others.length > 0 || typeof name !== 'string' || name === '') return value;
    if (key !== 'file' && key !== 'env') return value;
    const found = key === 'file' ? readSecretFile(name) : readSecretVariable(name, this.#env);
    if ('message' in found) {
      this.problems.push({ path, message: found.message });
      return UNREADABLE;
    }
    this.origins.set(formatPath(path), { kind: key === 'file' ? 'file' : 'environment', name });
    return found.text;
  }
}
