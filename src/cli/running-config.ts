/** What is in force in a Sluice that runs, asked for on its admin port with the account that is configured here. */

import type { Connection, ConnectionOptions, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { isLoopback } from '../../config/default-password.ts';
import { type LoadedConfig, loadConfigWithSources } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { formatAddress } from '../../config/server-address.ts';

/** Says where it was tried, and why it failed. */
export class RunningConfigError extends Error {
  override readonly name = 'RunningConfigError';
}

const TIMEOUT_MS = 10_000;
const HASH = /^\*[0-9A-F]{40}$/i;
const WILDCARD = /^(?:0\.0\.0\.0|::)$/;

function connectOptions({ admin }: Config): ConnectionOptions {
  const operator = admin.users.find(({ role, password }) => role === 'admin' && !HASH.test(password));
  if (operator === undefined)
    throw new RunningConfigError('admin.users has no admin user whose password is known as plain text');
  const host = WILDCARD.test(admin.host) ? '127.0.0.1' : admin.host;
  const { username: user, password } = operator;
  // The answer holds passwords: beyond this machine it must not be read on the way.
  const tls = isLoopback(host) ? {} : { ssl: { rejectUnauthorized: true } };
  return { host, port: admin.port, user, password, connectTimeout: TIMEOUT_MS, ...tls };
}

async function askedOf(connection: Connection): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT CONFIG FILE');
  const text: unknown = Object.values(rows[0] ?? {})[0];
  if (typeof text !== 'string') throw new Error('it does not say what is in force');
  return text;
}

/** @returns what it says to that. @throws RunningConfigError with what it says against it, or why it cannot be asked */
export function orderRunning(config: Config, order: string): Promise<string> {
  return withRunning(config, async (connection) => {
    const [{ info }] = await connection.query<ResultSetHeader>(order);
    return withoutLength(info);
  });
}

/** @throws RunningConfigError; ConfigError if that Sluice has other settings than this one */
export function runningConfig(config: Config): Promise<LoadedConfig> {
  return withRunning(config, async (connection) => {
    const text = await askedOf(connection);
    return loadConfigWithSources({ file: 'running', text, env: {}, flags: {} });
  });
}

/** mysql2 takes the length in front of a text, which is one byte for a short one, for a part of it. */
function withoutLength(info: string): string {
  return info.charCodeAt(0) === Buffer.byteLength(info) - 1 ? info.slice(1) : info;
}

async function withRunning<T>(config: Config, work: (connection: Connection) => Promise<T>): Promise<T> {
  const options = connectOptions(config);
  const { default: mysql } = await import('mysql2/promise');
  let connection: Connection | null = null;
  try {
    connection = await mysql.createConnection(options);
    return await work(connection);
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigError') throw error;
    const address = formatAddress(String(options.host), Number(options.port));
    const { code, message } = error as NodeJS.ErrnoException;
    throw new RunningConfigError(
      connection === null
        ? `the Sluice at ${address} cannot be asked (${message || code})`
        : `the Sluice at ${address} says: ${message || code}`,
    );
  } finally {
    connection?.destroy();
  }
}
