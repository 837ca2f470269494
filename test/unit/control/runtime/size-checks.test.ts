/** A configuration that was put together while Sluice runs has to fit the machine, as one that it starts with. */
import t from 'tap';
import { loadConfig } from '../../../../config/load.ts';
import type { Machine } from '../../../../config/machine.ts';
import { withSetting } from '../../../../config/reload.ts';
import { checkConfiguration } from '../../../../src/control/runtime/configuration-checks.ts';
import { RowError } from '../../../../src/control/runtime/row-error.ts';
import { VariableCatalog } from '../../../../src/control/runtime/variable-catalog.ts';

const MIB = 2 ** 20;
const SMALL: Machine = {
  cpus: 2,
  cpuQuota: null,
  memoryBytes: 256 * MIB,
  memoryIsLimited: true,
  openFiles: 2048,
};
const CATALOG = new VariableCatalog('0.1.0');
const CONFIG = loadConfig({
  text: 'servers: [a]\nmonitor: { username: m, password: p }\n',
  env: {},
  flags: {},
  machine: SMALL,
});

async function outcome(config = CONFIG, before = CONFIG, machine = SMALL): Promise<readonly string[]> {
  try {
    return (await checkConfiguration(config, CATALOG, before, machine)).warnings;
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    return [`refused: ${error.message}`];
  }
}

t.test('what was made to fit does', async (t) => {
  t.strictSame(await outcome(), []);
});

t.test('more memory than there is', async (t) => {
  const wanted = withSetting(CONFIG, 'cache.maxBytes', 512 * MIB);
  const [problem = ''] = await outcome(wanted);
  t.match(
    problem,
    /^refused: global_variables \(variable_name mysql-query_cache_size_MB\), column variable_value: with these settings Sluice needs \d+ MiB of memory, the limit is 256 MiB: cache\.maxBytes takes 640 MiB of it$/,
  );
  t.strictSame(await outcome(wanted, CONFIG, { ...SMALL, memoryBytes: 2048 * MIB }), []);
  t.strictSame(await outcome(wanted, wanted), [], 'who has got there cannot be kept from other changes');
});

t.test('more than there is, of which a start would take back some', async (t) => {
  const wanted = withSetting(CONFIG, 'cache.maxBytes', 20 * MIB);
  const [warning = '', ...more] = await outcome(wanted);
  t.match(warning, /^with these settings Sluice needs .*; a start would make smaller what nobody has set$/);
  t.strictSame(more, []);
  t.strictSame(await outcome(withSetting(wanted, 'log.level', 'warn'), wanted), [], 'it is said once');
});

t.test('more open files than there may be', async (t) => {
  const roomy = { ...SMALL, memoryBytes: 4096 * MIB };
  const [problem = ''] = await outcome(withSetting(CONFIG, 'limits.maxConnections', 1900), CONFIG, roomy);
  t.match(
    problem,
    /^refused: global_variables \(variable_name mysql-max_connections\), .*need \d+ open files, the limit is 2048/,
  );
});

t.test('without a machine that it was made for, nothing is asked', async (t) => {
  const { fitted: _, ...foreign } = CONFIG;
  t.strictSame(await outcome(withSetting(foreign, 'cache.maxBytes', 512 * MIB)), []);
});
