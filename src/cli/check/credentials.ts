/** With what `/metrics` is asked where it wants a login: never with a password of the command line, which others can see. */
import { readFileSync } from 'node:fs';
import { CheckError } from './check-exit.ts';
import type { HttpPlace } from './http-place.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface CredentialSources {
  readonly user: string | null;
  readonly passwordFile: string | null;
  readonly env: NodeJS.ProcessEnv;
}

const PASSWORD_HASH = /^\*[0-9A-F]{40}$/i;

/** Those that were named; null where none were. @throws CheckError */
export function givenCredentials({ user, passwordFile, env }: CredentialSources): Credentials | null {
  const file = passwordFile ?? (env.SLUICE_CHECK_PASSWORD_FILE || null);
  const username = user ?? (env.SLUICE_CHECK_USER || null);
  const inEnvironment = env.SLUICE_CHECK_PASSWORD || null;
  const password = file === null ? inEnvironment : readPassword(file);
  if (username === null && password === null) return null;
  if (password === null)
    throw new CheckError('a user is named without a password: --password-file, or SLUICE_CHECK_PASSWORD');
  return { username: username ?? 'stats', password };
}

function readPassword(file: string): string {
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (text === '') throw new CheckError(`${file} is empty`);
    return text;
  } catch (error) {
    if (error instanceof CheckError) throw error;
    throw new CheckError(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`,
    );
  }
}

/** Of the Sluice on this machine, from its own configuration: who may see the least comes first. @throws CheckError */
export async function configuredCredentials(
  { configFile }: HttpPlace,
  env: NodeJS.ProcessEnv,
): Promise<Credentials> {
  const { loadConfig } = await import('../../../config/load.ts');
  const { admin } = loadOrExplain(() =>
    loadConfig({ env, flags: {}, ...(configFile === null ? {} : { file: configFile }) }),
  );
  const usable = admin.users.filter(({ password }) => !PASSWORD_HASH.test(password));
  const account = usable.find(({ role }) => role === 'stats') ?? usable[0];
  if (account === undefined)
    throw new CheckError('/metrics wants a login, and no password of admin.users is known: see --user');
  return account;
}

function loadOrExplain<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ConfigError')) throw error;
    throw new CheckError(
      `/metrics wants a login, and the configuration is not valid: ${error.message.split('\n')[0]}`,
    );
  }
}
