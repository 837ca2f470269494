/** The configurations and links of the guides. Their commands are typed in test/integration/monitoring. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadConfig } from '../../../config/load.ts';
import { collectSettings, configJsonSchema } from '../../../config/settings.ts';
import { makeTemporaryDirectory } from '../../support/owned-resources.ts';

const directory = makeTemporaryDirectory('guides');
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const secret = join(directory, 'secret');
writeFileSync(secret, 'correct horse battery staple', { mode: 0o600 });

const settings = collectSettings(configJsonSchema()).map(({ path }) => path);
const sections = new Set(settings.map((path) => path.split('.')[0]));

const OTHER_PROXIES = ['from-proxysql', 'from-maxscale', 'from-mysql-router'];

for (const name of ['wordpress', 'hardening', 'sizing', ...OTHER_PROXIES]) {
  const file = fileURLToPath(new URL(`../../../docker/guides/${name}.md`, import.meta.url));
  t.test(name, { skip: existsSync(file) ? false : 'not there' }, async (t) => {
    const text = readFileSync(file, 'utf8');
    for (const [, indent = '', body = ''] of text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm)) {
      const yaml = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
      // Only whole configurations name servers.
      if (!/^servers:/m.test(yaml)) continue;
      const readable = yaml.replaceAll(/file: \/etc\/sluice\/secrets\/\w+/g, `file: ${secret}`);
      t.ok(loadConfig({ file: 'guide.yaml', text: readable, env: {}, flags: {} }), yaml.slice(0, 60));
    }
    for (const [, path = ''] of text.matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z0-9]+)+)[`:]/g))
      if (sections.has(path.split('.')[0] ?? ''))
        t.ok(
          settings.some((known) => known === path || known.startsWith(`${path}.`)) ||
            /^users\.(?:source|listed)$/.test(path),
          path,
        );
    for (const [, link = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      t.ok(existsSync(join(dirname(file), link)), link);
  });
}
