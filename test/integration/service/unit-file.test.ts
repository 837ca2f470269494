/** The unit of systemd is one that systemd takes, and as closed as the page on hardening says. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findProgramIfAny } from '../../support/find-program.ts';
import { makeTemporaryDirectory } from '../../support/owned-resources.ts';
import { checkoutDirectory } from '../../support/sluice-script.ts';

const UNIT = join(checkoutDirectory, 'docker/systemd/sluice.service');
/** `systemd-analyze security`: from 0 to 10, less is safer. */
const MOST_EXPOSURE = 2.0;

t.test('systemd-analyze', async (t) => {
  if ((await findProgramIfAny(['systemd-analyze'])) === null) {
    t.comment('systemd is not installed');
    return;
  }
  const folder = makeTemporaryDirectory('unit');
  const copy = join(folder, 'sluice.service');
  copyFileSync(UNIT, copy);
  // What the unit starts need not be installed here.
  const text = readFileSync(copy, 'utf8');
  writeFileSync(
    copy,
    text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true').replace(/^Documentation=.*\n/m, ''),
  );
  const { stderr, status } = spawnSync('systemd-analyze', ['verify', copy], { encoding: 'utf8' });
  t.match({ stderr, status }, { stderr: '', status: 0 });
  const security = ['security', '--offline=yes', '--no-pager', copy];
  const output = execFileSync('systemd-analyze', security, { encoding: 'utf8' });
  const exposure = Number(/exposure level for sluice\.service: ([0-9.]+)/.exec(output)?.[1]);
  t.ok(exposure <= MOST_EXPOSURE, `exposure ${exposure}`);
});
