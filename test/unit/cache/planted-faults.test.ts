/** The places of planted faults are where they are said to be, and what is put there can be read. */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import t from 'tap';
import { changed, changesOf, plantedFaults } from '../../cache/planted-faults.ts';

for (const fault of plantedFaults) {
  t.test(fault.name, (t) => {
    for (const change of changesOf(fault)) {
      const source = readFileSync(new URL(`../../../${change.file}`, import.meta.url), 'utf8');
      t.doesNotThrow(() => stripTypeScriptTypes(changed(change, source)));
    }
    t.end();
  });
}

t.test('a fault whose place has changed', (t) => {
  const fault = plantedFaults[0]!;
  t.throws(() => changed(fault, ''), /the place of a fault 0 times/);
  t.throws(() => changed(fault, fault.from + fault.from), /the place of a fault 2 times/);
  t.end();
});
