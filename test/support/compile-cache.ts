/**
 * Node keeps what it has made of the sources in a folder: a test or a Sluice that starts needs a third less of the processor
 * then. A process writes it when it ends by itself, which the Sluices of tests hardly ever do; so one does it for all.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePorts } from './ports.ts';
import { SOURCE_SCRIPT } from './sluice-script.ts';
import { waitUntil } from './wait-until.ts';

const RUNS_FOR_MS = 60_000;

/**
 * A folder that is filled, for NODE_COMPILE_CACHE; what goes wrong here is for the tests to find.
 *
 * @param env of the tests
 */
export async function makeCompileCache(env: NodeJS.ProcessEnv): Promise<string> {
  const cache = await mkdtemp(join(tmpdir(), 'sluice-compile-cache-'));
  const directory = await mkdtemp(join(tmpdir(), 'sluice-t-'));
  try {
    const [clients, admin, http, nobody] = await freePorts(4);
    const config = {
      listen: { host: '127.0.0.1', port: clients },
      admin: { host: '127.0.0.1', port: admin },
      http: { host: '127.0.0.1', port: http },
      workers: 1,
      servers: [`127.0.0.1:${nobody}`],
      monitor: { username: 'nobody', password: 'nothing' },
      users: [{ username: 'nobody', password: 'nothing' }],
    };
    const file = join(directory, 'sluice.yaml');
    await writeFile(file, stringify(config));
    const sluice = spawn(process.execPath, [env.SLUICE_TEST_SCRIPT ?? SOURCE_SCRIPT, '--config', file], {
      cwd: directory,
      env: { ...env, NODE_COMPILE_CACHE: cache },
      stdio: 'ignore',
      timeout: RUNS_FOR_MS,
    });
    const ended = once(sluice, 'exit');
    const isUp = async (): Promise<boolean> =>
      sluice.exitCode !== null || (await fetch(`http://127.0.0.1:${http}/healthz`)).ok;
    await waitUntil('Sluice is up', isUp, { timeoutMs: RUNS_FOR_MS }).catch(() => undefined);
    sluice.kill('SIGTERM');
    await ended;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return cache;
}
