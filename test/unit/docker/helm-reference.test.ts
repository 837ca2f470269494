/** The renderer of these tests against Go's text/template and sprig, which are what Helm has. */

import { globSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { Chart } from '../../support/helm/chart.ts';
import { ReferenceRenderer, whyNoReference } from '../../support/helm/reference.ts';
import type { ValueMap } from '../../support/helm/template-functions.ts';

const directory = new URL('../../../docker/helm/sluice/', import.meta.url).pathname;
const skip = (await whyNoReference()) ?? false;
const reference = skip === false ? new ReferenceRenderer() : null;
t.teardown(() => reference?.dispose());
const release = { name: 'shop', namespace: 'db' };

/** Lists and quotes may be written in several ways. */
function meaning(text: string): unknown {
  return parseAllDocuments(text, { version: '1.1' }).map((document) => {
    const value: unknown = document.toJS();
    const config = (value as { readonly data?: { readonly 'sluice.yaml'?: string } } | null)?.data?.[
      'sluice.yaml'
    ];
    return config === undefined ? value : { ...(value as object), data: parse(config) as unknown };
  });
}

/** It is of the text of the configuration, which is written in several ways. */
const withoutChecksum = (text: string): string => text.replace(/checksum\/config: \w+/, '');

for (const name of globSync('examples/*.yaml', { cwd: directory }).toSorted()) {
  t.test(name, { skip }, async (t) => {
    const chart = new Chart(directory);
    const values = parse(readFileSync(`${directory}${name}`, 'utf8'), { version: '1.1' }) as ValueMap;
    const { files, notes } = chart.render(values, release);
    const byGo = reference!.render(directory, chart.root(values, release));
    t.strictSame([...files.keys(), 'NOTES.txt'].toSorted(), [...byGo.keys()].toSorted());
    t.equal(notes, byGo.get('NOTES.txt'));
    for (const [file, text] of files)
      t.strictSame(meaning(withoutChecksum(text)), meaning(withoutChecksum(byGo.get(file) ?? '')), file);
  });
}

t.test('what is refused, Go refuses too', { skip }, async (t) => {
  const chart = new Chart(directory);
  for (const values of [{}, { config: { servers: [], monitor: {}, users: [] } }]) {
    const root = chart.root(values, release);
    t.throws(() => reference!.render(directory, root), /is needed/);
    t.throws(() => chart.render(values, release), /is needed/);
  }
});
