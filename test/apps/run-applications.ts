import type { Test } from 'tap';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { isNightly } from '../support/nightly.ts';
import { AppStage } from './app-stage.ts';
import { APPLICATIONS, commandOf } from './applications.ts';

/** Runs every application on this kind of server; `SLUICE_TEST_APP` narrows it to the names that match. */
export async function runApplications(t: Test, flavor: ServerFlavor): Promise<void> {
  await t.test(`applications on ${flavor}`, (t) => runAll(t, flavor));
}

async function runAll(t: Test, flavor: ServerFlavor): Promise<void> {
  const stage = await AppStage.start(t, flavor);
  const wanted = new RegExp(process.env.SLUICE_TEST_APP ?? '');
  for (const application of APPLICATIONS) {
    if (!wanted.test(application.name) || (application.nightly === true && !isNightly)) continue;
    if (application.flavors !== undefined && !application.flavors.includes(flavor)) continue;
    const command = await commandOf(application);
    const skip = typeof command === 'string' ? command : false;
    await t.test(application.name, { skip }, async (t) => {
      if (typeof command !== 'string') await stage.compare(t, application.name, command);
    });
  }
  const { sluice } = stage;
  t.equal(sluice.exit, null, 'Sluice still runs');
  const replica = stage.set.replicas[0]?.address ?? '';
  t.ok(
    (await sluice.metric('sluice_server_queries_total', { server: replica })) > 0,
    'replicas have answered',
  );
}
