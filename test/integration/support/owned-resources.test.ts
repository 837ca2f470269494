import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { OwnedChild } from '../../support/child-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const support = fileURLToPath(new URL('../../support', import.meta.url));

/** Starts a server, tells where it is, and then ends in some way. */
const program = (ending: string) => `
  import { writeFileSync } from 'node:fs';
  import { MariadbServer } from ${JSON.stringify(join(support, 'mariadb-server.ts'))};
  const server = new MariadbServer();
  await server.start();
  writeFileSync('started', server.pid + ' ' + server.directory);
  ${ending}
`;

const endings = [
  { name: 'SIGTERM', ending: 'setInterval(() => {}, 1000);', signal: 'SIGTERM' },
  { name: 'SIGINT', ending: 'setInterval(() => {}, 1000);', signal: 'SIGINT' },
  { name: 'an uncaught error', ending: "setImmediate(() => { throw new Error('broken'); });", signal: null },
  { name: 'process.exit', ending: 'process.exit(0);', signal: null },
] as const;

for (const { name, ending, signal } of endings) {
  t.test(`servers and folders go with the process: ${name}`, async (t) => {
    const cwd = t.testdir({ 'x.ts': program(ending) });
    const child = await OwnedChild.spawn({
      command: process.execPath,
      args: ['x.ts'],
      cwd,
      outputFile: join(cwd, 'log'),
    });
    t.teardown(() => child.signal('SIGKILL'));
    const [pid = '', directory = ''] = await waitUntil(
      'the server has started',
      () => {
        const started = join(cwd, 'started');
        const words = existsSync(started) ? readFileSync(started, 'utf8').split(' ') : [];
        return words.length === 2 && words;
      },
      { timeoutMs: 20_000 },
    );
    if (signal !== null) child.signal(signal);
    await child.exited;
    await waitUntil(`server ${pid} is gone`, () => !existsSync(`/proc/${pid}/cwd`));
    t.notOk(existsSync(directory), 'the folder is gone');
  });
}
