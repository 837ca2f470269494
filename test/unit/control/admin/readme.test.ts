import { readFileSync } from 'node:fs';
import t from 'tap';
import { renderReadme } from '../../../../src/control/admin/generate-readme.ts';

t.test('README.md has every command and column, and is fresh (npm run generate)', async (t) => {
  const readme = readFileSync(new URL('../../../../src/control/admin/README.md', import.meta.url), 'utf8');
  t.equal(readme, renderReadme());
});
