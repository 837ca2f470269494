/**
 * Shows Sluice at work on throw-away servers of this machine, and leaves them up to be played with.
 *
 *   npm run demo              until Ctrl-C, which stops everything and leaves nothing behind
 *   npm run demo -- --once    ends after the tour: exit code 0 if every step was as expected
 */

import { parseArgs } from 'node:util';
import { makeTemporaryDirectory, replaceSignalHandler } from '../support/owned-resources.ts';
import { APP_ACCOUNT, APP_SCHEMA } from '../support/replication-set.ts';
import { type Stage, setStage } from './stage.ts';
import { runTour } from './tour.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const SAME_SIGNAL_MS = 1000;
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

// The templates of data directories are worth keeping between tests, not after a demo.
process.env.SLUICE_TEST_TEMPLATES ??= makeTemporaryDirectory('templates');

let stage: Stage | null = null;
let stoppingSince: number | null = null;
replaceSignalHandler((signal, exitCode) => {
  // One Ctrl-C comes twice: from the terminal, and from npm, which passes on its own.
  if (stoppingSince !== null && performance.now() - stoppingSince < SAME_SIGNAL_MS) return;
  // While it starts, or when asked again: the exit hook kills what there is.
  if (stage === null || stoppingSince !== null) process.exit(exitCode);
  say(`\n${signal}: stopping …`);
  // Asked to stay up until then, so that this is its good end.
  void stop(values.once ? exitCode : 0);
});

try {
  stage = await setStage(say);
  const { steps, failures } = await runTour(stage, say);
  say(
    failures === 0
      ? `\nAll ${steps} steps were as expected.`
      : `\n${failures} of ${steps} steps were NOT as expected.`,
  );
  if (failures > 0) say(`\nThe end of Sluice's log:\n${stage.sluice.logTail()}`);
  if (values.once) await stop(failures === 0 ? 0 : 1);
  else invite(stage);
} catch (error) {
  // A signal in the middle of a step makes the step fail; the stop is under way then.
  if (stoppingSince === null) {
    say(`The demo failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  }
}

function invite({ sluice }: Stage): void {
  const { username, password } = APP_ACCOUNT;
  const { host, port, adminPort, httpPort } = sluice;
  say(`
Everything stays up until Ctrl-C. Try it:
  DSN      mysql://${username}:${password}@${host}:${port}/${APP_SCHEMA}
  client   mysql -h ${host} -P ${port} -u ${username} -p${password} ${APP_SCHEMA}
  admin    mysql -h ${host} -P ${adminPort} -u admin -padmin ${APP_SCHEMA} -e "EXPLAIN ROUTE SELECT * FROM books"
  browser  http://${host}:${httpPort}/ (admin / admin)
  metrics  http://${host}:${httpPort}/metrics`);
}

async function stop(exitCode: number): Promise<void> {
  stoppingSince = performance.now();
  let code = exitCode;
  try {
    await stage?.close();
    say('Stopped; nothing is left behind.');
  } catch (error) {
    say(`Stopped, but not cleanly: ${error instanceof Error ? error.message : String(error)}`);
    code = exitCode || 1;
  }
  process.exit(code);
}
