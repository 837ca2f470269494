import { execFileSync } from 'node:child_process';
import t from 'tap';
import { escapeRoff, manPage } from '../../../docker/debian/man-page.ts';
import { findProgramIfAny } from '../../support/find-program.ts';

const HELP = `Usage: sluice [--config FILE]
       sluice config print

A proxy – for MySQL.
It does.

  -c, --config FILE   read a file
      --check-config  check it:
                      0 if it is valid
  check               ask

  sluice --servers 10.0.0.5:3306

Settings:
  --listen.port N                 TCP port. (6033)
  --tls.minVersion TLSv1|TLSv1.1|TLSv1.2|TLSv1.3
                                  Oldest version. (TLSv1.2)
  --log.dir TEXT                  .hidden 'x' \\ (none)
`;

t.test('roff takes text for text', async (t) => {
  t.equal(escapeRoff('.hidden'), '\\&.hidden');
  t.equal(escapeRoff("'x'"), "\\&'x'");
  t.equal(escapeRoff('a\\b --c'), 'a\\eb \\-\\-c');
  t.equal(escapeRoff('…–'), '\\[u2026]\\[u2013]');
});

t.test('the page says what the help says', async (t) => {
  const lines = manPage({ help: HELP, version: '1.2.3', date: '2026-01-02' }).split('\n');
  t.equal(lines[0], '.TH SLUICE 8 2026-01-02 "sluice 1.2.3" "System administration"');
  const after = (line: string) => lines.slice(lines.indexOf(line) + 1);
  t.same(after('.SH SYNOPSIS').slice(0, 4), [
    '.nf',
    'sluice [\\-\\-config FILE]',
    'sluice config print',
    '.fi',
  ]);
  t.same(after('.SH DESCRIPTION').slice(0, 2), ['A proxy \\[u2013] for MySQL.', 'It does.']);
  t.same(after('.B \\-\\-check\\-config').slice(0, 2), ['check it:', '0 if it is valid']);
  t.same(after('.B check')[0], 'ask');
  t.ok(lines.includes('sluice \\-\\-servers 10.0.0.5:3306'));
  t.same(after('.SH SETTINGS').slice(0, 3), ['.TP', '.B \\-\\-listen.port N', 'TCP port. (6033)']);
  t.equal(after('.B \\-\\-tls.minVersion TLSv1|TLSv1.1|TLSv1.2|TLSv1.3')[0], 'Oldest version. (TLSv1.2)');
  t.equal(after('.B \\-\\-log.dir TEXT')[0], "\\&.hidden 'x' \\e (none)");
});

t.test('groff has nothing to say against it', async (t) => {
  if ((await findProgramIfAny(['groff'])) === null) {
    t.comment('groff is not here');
    return;
  }
  const input = manPage({ help: HELP, version: '1.2.3', date: '2026-01-02' });
  const args = ['-man', '-Tutf8', '-ww', '-z'];
  const stderr = execFileSync('groff', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  t.equal(stderr, '');
});
