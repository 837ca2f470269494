import { closeSync, fstatSync, openSync } from 'node:fs';
import t from 'tap';
import { isJournal, withPriority } from '../../../src/common/journal.ts';

t.test('an output is the journal if it is what systemd has named', async (t) => {
  const fd = openSync('/dev/null', 'w');
  t.teardown(() => closeSync(fd));
  const { dev, ino } = fstatSync(fd, { bigint: true });
  t.ok(isJournal(fd, `${dev}:${ino}`));
  t.notOk(isJournal(fd, `${dev}:${ino + 1n}`));
  t.notOk(isJournal(fd, undefined));
  t.notOk(isJournal(9999, `${dev}:${ino}`), 'a descriptor that is closed');
});

t.test('each level has its priority', async (t) => {
  const priorities = { trace: 7, debug: 7, info: 6, warn: 4, error: 3, fatal: 2 };
  for (const [level, priority] of Object.entries(priorities)) {
    const line = `{"level":"${level}","time":"…"}\n`;
    t.equal(withPriority(line), `<${priority}>${line}`);
  }
  t.equal(withPriority('another line\n'), 'another line\n');
});
