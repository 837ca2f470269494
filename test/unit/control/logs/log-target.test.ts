/** Files of logs: opened at once, written, opened again, and never in anybody's way. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type LogRecord, RootLogger } from '../../../../src/common/logger.ts';
import { checkLogFile, LogFileError } from '../../../../src/control/logs/line-file.ts';
import { LogTarget } from '../../../../src/control/logs/log-target.ts';
import { waitUntil } from '../../../support/wait-until.ts';

class Fixture {
  readonly records: LogRecord[] = [];
  readonly target = new LogTarget(
    'auditLog.file',
    new RootLogger(
      'error',
      (record) => this.records.push(record),
      () => undefined,
    ),
  );

  into(path: string | null): void {
    this.target.prepare(path).commit();
  }
}

function linesOf(path: string): Record<string, unknown>[] {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}

t.test('the log, whatever its level', async (t) => {
  const fixture = new Fixture();
  fixture.into(null);
  fixture.target.write('said', { user: 'app' });
  t.strictSame(fixture.records, [{ level: 'info', message: 'said', fields: { user: 'app' } }]);
  fixture.target.reopen();
  fixture.target.close();
});

t.test('a file: appended to, moved away, exchanged for another', async (t) => {
  const directory = t.testdir({});
  const [first, second] = [join(directory, 'first.log'), join(directory, 'second.log')];
  const fixture = new Fixture();
  fixture.into(first);
  t.equal(statSync(first).mode & 0o777 & ~0o640, 0, 'nobody else can read it');
  fixture.target.write('one', { text: 'a "b"\nc' });
  await waitUntil('it is written', () => linesOf(first).length === 1);
  t.match(linesOf(first)[0], { msg: 'one', text: 'a "b"\nc', time: /^\d{4}-\d\d-\d\dT.*Z$/ });
  renameSync(first, `${first}.1`);
  fixture.target.reopen();
  await waitUntil('there is a new one', () => existsSync(first));
  fixture.target.write('two', {});
  await waitUntil('it is written', () => linesOf(first).length === 1);
  fixture.into(first);
  fixture.target.write('three', {});
  fixture.into(second);
  await waitUntil('nothing is lost with the change', () => linesOf(first).length === 2);
  fixture.target.write('four', {});
  fixture.target.close();
  await waitUntil('nor with the end', () => linesOf(second).length === 1);
  t.strictSame(
    [`${first}.1`, first, second].map((path) => linesOf(path).map(({ msg }) => msg)),
    [['one'], ['two', 'three'], ['four']],
  );
  t.strictSame(fixture.records, []);
});

t.test('what cannot be written is refused with its setting, and the old one goes on', async (t) => {
  const directory = t.testdir({ file: '' });
  const good = join(directory, 'good.log');
  const fixture = new Fixture();
  fixture.into(good);
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  mkdirSync(join(directory, 'folder'));
  symlinkSync('loop', join(directory, 'loop'));
  const cases: readonly [string, string][] = [
    ['missing/audit.log', 'ENOENT'],
    ['folder', 'EISDIR'],
    ['file/audit.log', 'ENOTDIR'],
    ['pipe', 'ENXIO'],
    ['loop', 'ELOOP'],
  ];
  for (const [name, reason] of cases) {
    const path = join(directory, name);
    t.throws(() => fixture.target.prepare(path), {
      name: 'LogFileError',
      message: `auditLog.file: ${path} cannot be written (${reason})`,
    });
  }
  fixture.target.prepare(join(directory, 'unused.log')).abandon();
  fixture.target.write('still', {});
  fixture.target.close();
  await waitUntil('it is in the old one', () => linesOf(good).length === 1);
});

t.test('the check for --check-config makes no file', async (t) => {
  const directory = t.testdir({ 'there.log': '' });
  checkLogFile('auditLog.file', null);
  checkLogFile('auditLog.file', join(directory, 'there.log'));
  checkLogFile('auditLog.file', join(directory, 'not-yet.log'));
  t.notOk(existsSync(join(directory, 'not-yet.log')));
  t.throws(() => checkLogFile('auditLog.file', join(directory, 'no/where.log')), LogFileError);
  chmodSync(join(directory, 'there.log'), 0o400);
  // Who is root may write everything.
  if (process.getuid?.() !== 0)
    t.throws(() => checkLogFile('auditLog.file', join(directory, 'there.log')), LogFileError);
});
