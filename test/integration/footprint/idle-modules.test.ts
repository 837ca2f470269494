/** What an idle Sluice has not loaded: each of these is megabytes in every sidecar, for what most of them are never asked. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { SOURCE_COMMAND } from '../../support/sluice-script.ts';

/** Writes down what each thread loads, imported or required. */
const RECORDER = `
  import { appendFileSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  import { isMainThread } from 'node:worker_threads';
  registerHooks({
    load(url, context, nextLoad) {
      appendFileSync(process.env.LOADED_MODULES, (isMainThread ? 'main' : 'thread') + ' ' + url + '\\n');
      return nextLoad(url, context);
    },
  });`;

const IN_NO_THREAD =
  /\/node_modules\/(?:node-sql-parser|prom-client|ioredis|@opentelemetry|re2js|pino-pretty)\//;
const NOT_IN_THE_MAIN_ONE =
  /\/node_modules\/(?:zod|yaml)\/|\/src\/control\/(?:runtime\/runtime-control|admin\/admin-session|admin\/commands\/all-commands|http\/api\/api-routes|metrics\/registry)\.ts$/;

const directory = makeTemporaryDirectory('idle-modules');
t.teardown(() => removeTemporaryDirectory(directory));
const recorder = join(directory, 'recorder.mjs');
const list = join(directory, 'loaded');
writeFileSync(recorder, RECORDER);

const loaded = (where: 'main' | 'thread') =>
  readFileSync(list, 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith(where) ? [line.slice(line.indexOf(' ') + 1)] : []));

t.test('what is for changes and operators is loaded when they come', async (t) => {
  const set = await new ReplicationSet({ replicas: 0 }).start();
  t.teardown(() => set.dispose());
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(recorder).href}`, LOADED_MODULES: list };
  const sluice = await SluiceProcess.startFor(set, { command: SOURCE_COMMAND, env, config: { workers: 1 } });
  t.teardown(() => sluice.dispose());

  const client = await sluice.connect();
  await client.query('SELECT 1');
  await client.end();
  const inMain = loaded('main');
  const inThreads = loaded('thread');
  t.ok(
    inMain.some((url) => url.endsWith('/src/control/supervisor.ts')),
    'the list of the main thread is one',
  );
  t.ok(
    inThreads.some((url) => url.endsWith('/src/data/worker.ts')),
    'that of the others, too',
  );
  t.ok(
    inThreads.some((url) => url.includes('/node_modules/zod/')),
    'the configuration was read in a thread',
  );
  t.strictSame(
    [...inMain, ...inThreads].filter((url) => IN_NO_THREAD.test(url)),
    [],
  );
  t.strictSame(
    inMain.filter((url) => NOT_IN_THE_MAIN_ONE.test(url)),
    [],
  );

  const admin = await sluice.adminConnection();
  await admin.query('SHOW VERSIONS');
  await admin.end();
  t.equal((await sluice.get('/metrics')).status, 200);
  const later = loaded('main').filter((url) => NOT_IN_THE_MAIN_ONE.test(url));
  for (const module of ['zod/', 'runtime-control.ts', 'admin-session.ts', 'all-commands.ts', 'registry.ts'])
    t.ok(
      later.some((url) => url.includes(module)),
      `${module} is loaded for who asks`,
    );
});
